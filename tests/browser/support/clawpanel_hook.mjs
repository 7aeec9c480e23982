/**
 * What ClawPanel's own React hook does, without React: credentials as a subprotocol, pings of its own, back
 * after 1, 2, 4 … s, but only when the end was not clean, and never after 1008. Stands for itself, so that it
 * runs in a page, too. The record that it returns and keeps in `globalThis.clawpanel` grows as things happen;
 * with `isOver` set there it does not come back.
 */
export function clawpanelHook(url, user, password, Socket = WebSocket) {
  const record = { messages: [], ends: [], opened: 0, isConnected: false, isOver: false, error: null };
  globalThis.clawpanel = record;
  let attempts = 0;
  const connect = () => {
    const socket = new Socket(url, ['clawpanel', btoa(`${user}:${password}`)]);
    socket.onopen = () => {
      record.opened += 1;
      record.isConnected = true;
      record.protocol = socket.protocol;
      attempts = 0;
      socket.send(JSON.stringify({ type: 'ping', timestamp: new Date().toISOString() }));
    };
    socket.onmessage = ({ data }) => record.messages.push(JSON.parse(data));
    socket.onclose = ({ code, wasClean }) => {
      record.isConnected = false;
      record.ends.push({ code, wasClean });
      if (code === 1008) record.error = 'Authentication failed';
      else if (!record.isOver && !wasClean && attempts < 10) setTimeout(connect, Math.min(1_000 * 2 ** attempts++, 30_000));
    };
  };
  connect();
  return record;
}
