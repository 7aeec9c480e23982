// clawws in React: one connection for as long as the component is there.
import { useCallback, useEffect, useRef, useState } from 'react';
import { connect } from './clawws.js';

/**
 * Returns { isConnected, isConnecting, lastEvent, error, reconnect } as ClawPanel's useWebSocket does,
 * and { status, state } beside it. A handler may be a new function at each render: the connection does
 * not notice. It is made anew only when url, credentials, types or the wish for the state change.
 */
export function useClawws(options = {}) {
  const { url, credentials, types, since, last, state: wantsState = true, ticket, onEvent, onGap } = options;
  const [status, setStatus] = useState({ link: 'connecting', retries: 0, position: null });
  const [lastEvent, setLastEvent] = useState(null);
  const [state, setState] = useState(null);
  const handlers = useRef({});
  handlers.current = { onEvent, onGap };
  const connection = useRef(null);
  const user = credentials?.username;
  const password = credentials?.password;
  const filter = types?.join(',');

  useEffect(() => {
    const live = connect({
      url, user, password, since, last, ticket,
      types: filter ? filter.split(',') : undefined,
      state: wantsState && !filter,
      onStatus: setStatus,
      onGap: (gap) => handlers.current.onGap?.(gap),
      // React compares by identity, so each change is a new object with the same maps.
      onState: (now) => setState({ sessions: now.sessions, agents: now.agents, cronJobs: now.cronJobs, gateway: now.gateway, truncated: now.truncated }),
      onEvent: (event) => {
        setLastEvent(event);
        handlers.current.onEvent?.(event);
      },
    });
    connection.current = live;
    return () => {
      connection.current = null;
      live.close();
    };
  }, [url, user, password, since, last, ticket, filter, wantsState]);

  const reconnect = useCallback(() => connection.current?.retryNow(), []);
  const isConnected = status.link === 'live';
  const isConnecting = status.link === 'connecting' || status.link === 'waiting';
  return { isConnected, isConnecting, lastEvent, error: isConnected ? null : status.reason ?? null, reconnect, status, state };
}
