// The dashboard: takes the state, follows the events, and draws a few times a second. All that comes
// from events goes into the page as text, never as markup.
import { Alerts } from './alerts.js';
import { connect } from './clawws.js';
import { Feed } from './feed.js';
import { Plot } from './plot.js';
import { ageText, durationText, fillTable, hide, plainText, setText, shortDurationText, versionText } from './view.js';

const MOST_OLDER = 1_000;
/** Often enough to look live; a table that changes at each frame cannot be read anyway. */
const DRAW_EVERY_MILLIS = 200;

const find = (id) => document.getElementById(id);
const feed = new Feed({
  list: find('feed'), empty: find('feed-empty'), filter: find('filter'), pause: find('pause'), clear: find('clear'), count: find('feed-count'),
  said: find('feed-said'),
});
const plot = new Plot(find('plot'), find('plot-caption'));
const alerts = new Alerts({ toasts: find('toasts'), button: find('notify'), fallback: find('feed') });
let stateIs = 'unknown';
/** The state is told a frame late: events may have come live before it. */
let firstLive = Infinity;
let countdown = 0;
let drawnAt = -DRAW_EVERY_MILLIS;
let drawTimer = 0;

const live = connect({
  state: true,
  onState(state) {
    if (stateIs === 'unknown') begin(state);
    drawSoon();
  },
  onStatus: showLink,
  onEvent(event) {
    firstLive = Math.min(firstLive, event.seq);
    alerts.look(event);
    if (event.type === 'bench.sample' && !feed.asksFor(event.type)) return;
    plot.add(event.timestamp);
    feed.add(event);
  },
  onGap(gap) {
    const count = gap.lost === null ? 'events may be missing' : `${gap.lost.toLocaleString()} ${gap.lost === 1 ? 'event is' : 'events are'} missing`;
    feed.addGap(gap.cause === 'new_epoch' ? `The server began a new log here; ${count}.` : `Here ${count}: the server no longer keeps them.`);
    alerts.forget();
    stateIs = 'unknown';
  },
});

// ---- the first look -------------------------------------------------------------------------------

/** What is bad already is on the page and raises no alarm; the feed begins with what came before. */
function begin(state) {
  const isFirst = drawnAt < 0;
  stateIs = 'known';
  find('page').dataset.state = 'known';
  if (!isFirst) return;
  alerts.load(state);
  addOlder(live.status.position, firstLive);
}

async function addOlder({ epoch: ours, seq: newest }, live) {
  try {
    // Of the origin: a page's own address may hold a password, and then nothing relative to it may be fetched.
    const answer = await fetch(new URL(`/clawws/events?last=${MOST_OLDER}`, location.origin), { cache: 'no-store' });
    if (!answer.ok) return;
    const { epoch, events } = await answer.json();
    // What comes after the state comes over the WebSocket.
    const older = epoch === ours ? events.filter(({ seq, type }) => seq <= newest && seq < live && type !== 'bench.sample') : [];
    feed.addOlder(older);
    if (events.length === MOST_OLDER) plot.knownSince(events[0].timestamp);
    for (const event of older) plot.add(event.timestamp);
  } catch {
    // The live events are what counts; the link says whether the server can be reached.
  } finally {
    find('feed').setAttribute('aria-busy', 'false');
  }
}

// ---- what is connected ----------------------------------------------------------------------------

function linkText({ link, retryAt, retries }) {
  if (link === 'waiting') {
    const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    return `reconnecting${seconds > 0 ? ` in ${seconds} s` : ''} (try ${retries})`;
  }
  if (link === 'connecting' && retries > 0) return `reconnecting (try ${retries})`;
  return { connecting: 'connecting', live: 'live', offline: 'offline', refused: 'not accepted', closed: 'closed' }[link];
}

function showLink(status) {
  clearInterval(countdown);
  const pill = find('link');
  // A link that is back at the first try needs no more than its own word for it.
  const isAway = (status.retries > 1 && status.link !== 'live') || status.link === 'offline' || status.link === 'refused';
  pill.dataset.link = status.link;
  const reason = status.reason && plainText(status.reason).replace(/\.$/, '');
  const show = () => setText(pill, linkText(status));
  show();
  if (status.link === 'waiting') countdown = setInterval(show, 250);
  pill.title = reason ?? '';
  // The countdown is for the eyes; who listens hears each change once.
  const said = { live: 'Connection: live', waiting: 'Connection lost, reconnecting', offline: 'Offline', refused: 'Not accepted', closed: 'Closed' }[status.link];
  if (said) setText(find('link-said'), said);
  const isAgainPossible = status.link === 'waiting' || status.link === 'offline' || (status.link === 'connecting' && status.retries > 0);
  hide(find('retry'), !isAgainPossible, pill);
  const banner = find('banner');
  hide(banner, !isAway, pill);
  alerts.sayLink(!isAway ? '' : { refused: 'Not accepted', offline: 'Offline' }[status.link] ?? 'Not live');
  banner.dataset.mood = status.link === 'refused' ? 'bad' : 'warn';
  find('login').hidden = status.link !== 'refused';
  if (status.link === 'refused') setText(find('banner-text'), `The server does not accept this login: ${reason}. Load the page again to log in.`);
  else if (!banner.hidden) setText(find('banner-text'), `Not live: ${reason ?? 'the network is away'}. What you see is from before; what happens meanwhile comes when the link is back, as long as the server keeps it.`);
}

find('retry').addEventListener('click', () => live.retryNow());
find('login').addEventListener('click', () => location.reload());

// ---- what is there --------------------------------------------------------------------------------

function drawSoon() {
  if (drawTimer !== 0) return;
  drawTimer = setTimeout(() => {
    drawTimer = 0;
    drawnAt = performance.now();
    draw(live.state);
  }, Math.max(0, drawnAt + DRAW_EVERY_MILLIS - performance.now()));
}

const moodOf = { running: 'good', error: 'bad', stopped: 'warn', idle: '' };
const rankOf = { error: 0, running: 1, idle: 2 };
/** In an order that does not change with every event, so that a row stays where the eye found it. */
const byUrgency = (a, b) => (rankOf[a.status] ?? 3) - (rankOf[b.status] ?? 3) || (a.agentId < b.agentId ? -1 : 1);
const countOf = (records, isIt) => records.reduce((sum, record) => sum + (isIt(record) ? 1 : 0), 0);

const tookOf = ({ durationMs: millis }) => (millis === undefined ? { text: '–' } : { text: shortDurationText(millis), whole: durationText(millis) });

function drawNote(id, parts) {
  setText(find(id), parts.filter(([count]) => count > 0).map(([count, word]) => `${count.toLocaleString()} ${word}`).join(' · '));
}

function draw(state) {
  const gateway = find('gateway');
  gateway.dataset.status = state.gateway?.status ?? 'unknown';
  setText(gateway, state.gateway ? `gateway ${state.gateway.status}${state.gateway.version ? ' · ' + plainText(versionText(state.gateway.version)) : ''}` : 'gateway: nothing known yet');
  const now = Date.now();
  const ago = ({ timestamp }) => ({ text: ageText(now, timestamp), number: true, time: timestamp });
  const agents = [...state.agents.values()];
  const jobs = [...state.cronJobs.values()].reverse();
  fillTable(find('agents'), agents.sort(byUrgency), (agent) => [
    { text: agent.agentId, place: 'name' },
    { text: agent.status, place: 'status', mood: moodOf[agent.status] },
    { text: agent.activeSessionCount ?? '–', number: true, place: 'least' },
    { text: agent.taskCount ?? '–', number: true, place: 'tasks' },
    ago(agent),
  ], (agent) => agent.agentId);
  fillTable(find('cronJobs'), jobs.sort((a, b) => (b.exitCode !== 0) - (a.exitCode !== 0)), (job) => [
    { text: job.jobId, place: 'name' },
    { text: job.exitCode === 0 ? 'ok' : 'exit ' + job.exitCode, place: 'exit', mood: job.exitCode === 0 ? 'good' : 'bad' },
    { ...tookOf(job), number: true, place: 'took' },
    { text: job.command ?? '–', place: 'rest' },
    ago(job),
  ], (job) => job.jobId);
  fillTable(find('sessions'), [...state.sessions.values()].reverse(), (session) => [
    { text: session.sessionKey, place: 'name' },
    { text: session.agentId ?? '–', place: 'whose' },
    { text: session.kind ?? '–', place: 'minor' },
    { text: session.label ?? '–', place: 'rest' },
    ago(session),
  ], (session) => session.sessionKey);
  for (const list of ['agents', 'cronJobs', 'sessions']) setText(find(list + '-count'), state[list].size.toLocaleString());
  drawNote('agents-bad', [[countOf(agents, ({ status }) => status === 'error'), 'in error']]);
  drawNote('agents-note', [[countOf(agents, ({ status }) => status === 'running'), 'running'], [countOf(agents, ({ status }) => status === 'idle'), 'idle']]);
  drawNote('cronJobs-bad', [[countOf(jobs, ({ exitCode }) => exitCode !== 0), 'failed']]);
  setText(find('sessions-note'), state.truncated ? 'only the newest are kept' : '');
}

// Ages move without an event, too.
setInterval(() => document.visibilityState === 'visible' && drawSoon(), 10_000);
