import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { parsePosition, type ClawwsEvent } from 'clawws';
import { useClawws } from 'clawws/react';

// Where the server is and who asks comes with the address of the page.
const given = new URLSearchParams(location.hash.slice(1));
const url = given.get('url') ?? undefined;
const credentials = given.has('user') ? { username: given.get('user')!, password: given.get('password')! } : undefined;

function Panel() {
  const [count, setCount] = useState(0);
  const { isConnected, isConnecting, lastEvent, error, status, state } = useClawws({
    url, credentials, onEvent: (event: ClawwsEvent) => setCount((now) => now + (parsePosition(`e:${event.seq}`) ? 1 : 0)),
  });
  return (
    <main>
      <p id="link">{isConnected ? 'connected' : isConnecting ? 'connecting' : 'not connected'}</p>
      <p id="status">{status.link}</p>
      <p id="error">{error ?? ''}</p>
      <p id="count">{count}</p>
      <p id="last">{lastEvent ? lastEvent.type : ''}</p>
      <ul id="sessions">{[...(state?.sessions.values() ?? [])].map((session) => <li key={session.sessionKey}>{session.sessionKey}</li>)}</ul>
    </main>
  );
}

createRoot(document.getElementById('root')!).render(<StrictMode><Panel /></StrictMode>);
