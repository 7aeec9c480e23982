// Functions that run in a page: each stands for itself, with nothing from here around it.

export const linkIs = (wanted) => document.getElementById('link')?.dataset.link === wanted;
export const linkText = () => document.getElementById('link').textContent;

/** The positions in the dashboard's feed, oldest first. */
export const feedPositions = () =>
  [...document.querySelectorAll('#feed li:not(.gap) .seq')].map((cell) => Number(cell.textContent.slice(1))).reverse();
export const newestInFeedIs = (seq) => document.querySelector('#feed .seq')?.textContent === '#' + seq;
export const gapsInFeed = () => [...document.querySelectorAll('#feed .gap')].map((row) => row.textContent);
export const feedTotal = () => Number(document.getElementById('feed-count').textContent.replace(/\D/g, ''));

/** The first cells of each row of a table. */
export const tableTexts = (id, columns) =>
  [...document.getElementById(id).tBodies[0].rows].map((row) => [...row.cells].slice(0, columns).map((cell) => cell.textContent));

export const firstCellsAre = (id, texts) =>
  [...document.getElementById(id).tBodies[0].rows].map((row) => row.cells[0].textContent).join() === texts.join();

/** Notes when which position came into the feed, when the link changed, and what the page's policy forbade. */
export const watchDashboard = () => {
  const seen = (globalThis.seen = { events: [], links: [], violations: [] });
  new MutationObserver((changes) => {
    const at = Date.now();
    for (const { addedNodes } of changes) {
      for (const row of addedNodes) {
        const cell = row.querySelector?.('.seq');
        if (cell) seen.events.push({ seq: Number(cell.textContent.slice(1)), at });
      }
    }
  }).observe(document.getElementById('feed'), { childList: true });
  const link = document.getElementById('link');
  new MutationObserver(() => seen.links.push({ link: link.dataset.link, at: Date.now() })).observe(link, { attributes: true });
  document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
    seen.violations.push(`${violatedDirective} ${blockedURI}`);
  });
};

/** A client of clawws.js beside the page's own; what it is told is in `globalThis.client`. */
export const startClient = async (module, options) => {
  const { connect } = await import(module);
  const client = { events: [], statuses: [], gaps: [] };
  globalThis.client = client;
  client.live = connect({
    ...options,
    onEvent: ({ seq, payload }) => client.events.push({ seq, lag: Date.now() - payload.sentAt }),
    onStatus: (status) => client.statuses.push(status),
    onGap: (gap) => client.gaps.push(gap),
  });
};
export const clientIs = (link) => globalThis.client.live.status.link === link;
export const clientHas = (count) => globalThis.client.events.length >= count;
export const clientRecord = () => {
  const { events, statuses, gaps, live } = globalThis.client;
  const { sessions, agents, cronJobs, gateway } = live.state;
  const list = (records) => [...records.values()];
  const state = { sessions: list(sessions), agents: list(agents), cronJobs: list(cronJobs), gateway };
  return { events, statuses, gaps, position: live.status.position, state };
};
export const closeClient = () => globalThis.client.live.close();
