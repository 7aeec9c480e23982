// The live feed: the newest events on top. Thousands of events a second change a buffer; the page
// changes once a frame, and holds a bounded number of lines.
import { make, setText } from './view.js';

const MOST_KEPT = 10_000;
const MOST_SHOWN = 300;

export class Feed {
  #list;
  #filter;
  #pause;
  #count;
  #kept = [];      // oldest first: {event, text} or {gap}
  #waiting = [];   // came while paused, or since the last frame
  #total = 0;
  #isPaused = false;
  #drawing = false;

  constructor({ list, filter, pause, clear, count }) {
    this.#list = list;
    this.#filter = filter;
    this.#pause = pause;
    this.#count = count;
    filter.form.addEventListener('submit', (submit) => submit.preventDefault());
    filter.addEventListener('input', () => this.#showAll());
    pause.addEventListener('click', () => this.#setPaused(!this.#isPaused));
    clear.addEventListener('click', () => {
      this.#kept = [];
      this.#waiting = [];
      this.#total = 0;
      this.#showAll();
    });
  }

  add(event) {
    this.#total += 1;
    this.#push({ event, text: searchText(event) });
  }

  addGap(text) {
    this.#push({ gap: text });
  }

  #push(entry) {
    this.#waiting.push(entry);
    if (this.#waiting.length > MOST_KEPT) this.#waiting.shift();
    if (this.#drawing) return;
    this.#drawing = true;
    const draw = () => {
      this.#drawing = false;
      this.#draw();
    };
    if (document.visibilityState === 'visible') requestAnimationFrame(draw);
    else setTimeout(draw, 500);
  }

  #setPaused(isPaused) {
    this.#isPaused = isPaused;
    this.#pause.setAttribute('aria-pressed', String(isPaused));
    this.#draw();
  }

  #draw() {
    setText(this.#count, this.#total.toLocaleString());
    if (this.#isPaused) {
      setText(this.#pause, this.#waiting.length === 0 ? 'Resume' : `Resume (${this.#waiting.length.toLocaleString()} new)`);
      return;
    }
    setText(this.#pause, 'Pause');
    const fresh = this.#waiting;
    this.#waiting = [];
    this.#kept.push(...fresh);
    if (this.#kept.length > MOST_KEPT) this.#kept.splice(0, this.#kept.length - MOST_KEPT);
    const rows = fresh.slice(-MOST_SHOWN).filter((entry) => this.#matches(entry)).map(rowOf).reverse();
    this.#list.prepend(...rows);
    while (this.#list.childElementCount > MOST_SHOWN) this.#list.lastElementChild.remove();
  }

  #showAll() {
    const rows = [];
    for (let i = this.#kept.length - 1; i >= 0 && rows.length < MOST_SHOWN; --i) {
      if (this.#matches(this.#kept[i])) rows.push(rowOf(this.#kept[i]));
    }
    this.#list.replaceChildren(...rows);
    this.#draw();
  }

  #matches(entry) {
    const words = this.#filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    return entry.gap !== undefined || words.every((word) => entry.text.includes(word));
  }
}

function searchText(event) {
  return `${event.type} ${JSON.stringify(event.payload)}`.toLowerCase();
}

/** Whom the event is about, what it says, and whether that is bad. */
export function summaryOf({ type, payload = {} }) {
  const list = (...parts) => parts.filter((part) => part !== undefined && part !== '').join('  ·  ');
  switch (type) {
    case 'session.created':
      return { subject: payload.sessionKey, details: list(payload.agentId, payload.kind, payload.label) };
    case 'session.killed':
      return { subject: payload.sessionKey, details: list(payload.agentId, 'ended') };
    case 'agent.status':
      return {
        subject: payload.agentId,
        details: list(payload.status, payload.taskCount === undefined ? undefined : `${payload.taskCount} tasks`),
        mood: payload.status === 'error' ? 'bad' : '',
      };
    case 'cron.executed':
      return {
        subject: payload.jobId,
        details: list(payload.exitCode === 0 ? 'ok' : `exit ${payload.exitCode}`,
                      payload.durationMs === undefined ? undefined : `${payload.durationMs} ms`, payload.command,
                      payload.exitCode === 0 ? undefined : payload.stderr),
        mood: payload.exitCode === 0 ? '' : 'bad',
      };
    case 'gateway.status':
      return { subject: 'gateway', details: list(payload.status, payload.version), mood: payload.status === 'running' ? '' : 'bad' };
    default:
      return { subject: '', details: JSON.stringify(payload) };
  }
}

function rowOf({ event, gap }) {
  const row = make('li', gap === undefined ? '' : 'gap');
  if (gap !== undefined) {
    row.append(make('span', '', gap));
    return row;
  }
  const { subject, details, mood = '' } = summaryOf(event);
  const time = make('time', '', new Date(event.timestamp).toLocaleTimeString());
  time.dateTime = event.timestamp;
  time.title = event.timestamp;
  const text = make('span', `details ${mood}`.trim(), details);
  text.title = details;
  row.append(time, make('span', 'type', event.type), make('span', `subject ${mood}`.trim(), subject), text, make('span', 'seq', '#' + event.seq));
  return row;
}
