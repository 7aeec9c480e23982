// The dashboard: takes the state, follows the events, and draws at most once a frame. All that comes
// from events goes into the page as text, never as markup.
import { Alerts } from './alerts.js';
import { connect } from './clawws.js';
import { Feed } from './feed.js';
import { Plot } from './plot.js';
import { ageText, durationText, fillTable, setText } from './view.js';

const find = (id) => document.getElementById(id);
const feed = new Feed({ list: find('feed'), filter: find('filter'), pause: find('pause'), clear: find('clear'), count: find('feed-count') });
const plot = new Plot(find('plot'), find('plot-caption'));
const alerts = new Alerts({ toasts: find('toasts'), button: find('notify') });
let countdown = 0;

const live = connect({
  state: true,
  onState: draw,
  onStatus: showLink,
  onEvent(event) {
    if (event.type === 'bench.sample') return;
    plot.add(Date.now());
    feed.add(event);
    alerts.look(event);
  },
  onGap(gap) {
    const count = gap.lost === null ? 'events may be missing' : `${gap.lost} ${gap.lost === 1 ? 'event is' : 'events are'} missing`;
    feed.addGap(gap.cause === 'new_epoch' ? 'The server began a new log; ' + count : count + ' here: the server no longer keeps what came in between');
  },
});

// ---- what is connected ----------------------------------------------------------------------------

function linkText({ link, retryAt, retries }) {
  if (link === 'waiting') return `reconnecting in ${Math.max(0, Math.ceil((retryAt - Date.now()) / 1000))} s (try ${retries})`;
  return { connecting: 'connecting', live: 'live', offline: 'offline', refused: 'not accepted', closed: 'closed' }[link];
}

function showLink(status) {
  clearInterval(countdown);
  const pill = find('link');
  pill.dataset.link = status.link;
  const show = () => setText(pill, linkText(status));
  show();
  if (status.link === 'waiting') countdown = setInterval(show, 250);
  pill.title = status.reason ?? '';
  const banner = find('banner');
  banner.hidden = status.link !== 'refused';
  if (status.link === 'refused') {
    setText(banner, `The server does not accept this page: ${status.reason}. Load the page again to log in.`);
  }
}

// ---- what is there --------------------------------------------------------------------------------

const moodOf = { running: 'good', error: 'bad', stopped: 'warn', idle: '' };

function draw(state) {
  const gateway = find('gateway');
  gateway.dataset.status = state.gateway?.status ?? 'unknown';
  setText(gateway, state.gateway ? `gateway ${state.gateway.status}${state.gateway.version ? ' · ' + state.gateway.version : ''}` : 'gateway: nothing known yet');
  const now = Date.now();
  fillTable(find('agents'), [...state.agents.values()].reverse(), (agent) => [
    agent.agentId,
    { text: agent.status, mood: moodOf[agent.status] },
    { text: agent.activeSessionCount ?? '–', number: true },
    { text: agent.taskCount ?? '–', number: true },
    { text: ageText(now, agent.timestamp), time: agent.timestamp },
  ], (agent) => agent.agentId);
  fillTable(find('cronJobs'), [...state.cronJobs.values()].reverse(), (job) => [
    job.jobId,
    { text: job.exitCode === 0 ? 'ok' : 'exit ' + job.exitCode, mood: job.exitCode === 0 ? 'good' : 'bad' },
    { text: job.durationMs === undefined ? '–' : durationText(job.durationMs), number: true },
    { text: ageText(now, job.timestamp), time: job.timestamp },
    job.command ?? '–',
  ], (job) => job.jobId);
  fillTable(find('sessions'), [...state.sessions.values()].reverse(), (session) => [
    session.sessionKey,
    session.agentId ?? '–',
    session.kind ?? '–',
    session.label ?? '–',
    { text: ageText(now, session.timestamp), time: session.timestamp },
  ], (session) => session.sessionKey);
  for (const list of ['agents', 'cronJobs', 'sessions']) setText(find(list + '-count'), state[list].size.toLocaleString());
}

// Ages move without an event, too.
setInterval(() => document.visibilityState === 'visible' && draw(live.state), 10_000);
