// The live feed: the newest events on top. Thousands of events a second change a buffer; the page
// changes once a frame, and holds a bounded number of lines.
import { durationText, make, plainJson, plainText, setKey, setText } from './view.js';

const MOST_KEPT = 10_000;
const MOST_SHOWN = 200;
// Made once: to make one is most of the cost of a line.
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

export class Feed {
  #list;
  #empty;
  #filter;
  #pause;
  #count;
  #kept = [];      // oldest first: {event, text} or {gap}
  #waiting = [];   // came while paused, or since the last frame
  #total = 0;
  #isPaused = false;
  #drawing = false;

  constructor({ list, empty, filter, pause, clear, count }) {
    this.#list = list;
    this.#empty = empty;
    this.#filter = filter;
    this.#pause = pause;
    this.#count = count;
    filter.form.addEventListener('submit', (submit) => submit.preventDefault());
    filter.addEventListener('input', () => this.#showAll());
    list.addEventListener('keydown', (pressed) => this.#walk(pressed));
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

  /** Events that came before all others here, oldest first. */
  addOlder(events) {
    this.#total += events.length;
    this.#kept.unshift(...events.map((event) => ({ event, text: searchText(event) })));
    this.#showAll();
  }

  /** The filter names this type, so that who asks for it is shown it. */
  asksFor(type) {
    return wordsOf(this.#filter.value).includes(type);
  }

  /** One stop of the Tab key for all lines; arrows go from line to line. */
  #walk(pressed) {
    const rows = [...this.#list.querySelectorAll('summary')];
    const at = rows.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[pressed.key];
    if (to === undefined || pressed.altKey || pressed.ctrlKey || pressed.metaKey) return;
    if (at < 0 && pressed.key !== 'ArrowDown') return;
    pressed.preventDefault();
    if (to < 0) this.#list.focus();
    else rows[to]?.focus();
  }

  #push(entry) {
    this.#waiting.push(entry);
    if (this.#waiting.length > 2 * MOST_KEPT) this.#waiting.splice(0, MOST_KEPT);
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
    this.#kept = this.#kept.concat(fresh).slice(-MOST_KEPT);
    const words = wordsOf(this.#filter.value);
    const rows = [];
    for (let i = fresh.length - 1; i >= 0 && rows.length < MOST_SHOWN; --i) {
      if (matches(fresh[i], words)) rows.push(rowOf(fresh[i]));
    }
    this.#list.prepend(...rows);
    while (this.#list.childElementCount > MOST_SHOWN) this.#list.lastElementChild.remove();
    this.#sayEmpty(words);
  }

  #showAll() {
    const words = wordsOf(this.#filter.value);
    const rows = [];
    for (let i = this.#kept.length - 1; i >= 0 && rows.length < MOST_SHOWN; --i) {
      if (matches(this.#kept[i], words)) rows.push(rowOf(this.#kept[i]));
    }
    this.#list.replaceChildren(...rows);
    this.#draw();
    this.#sayEmpty(words);
  }

  #sayEmpty(words) {
    this.#empty.hidden = this.#list.childElementCount > 0;
    setText(this.#empty, words.length > 0 && this.#kept.length > 0 ? 'No event here matches the filter.' : 'No event yet. They appear here as they happen.');
  }
}

function wordsOf(filter) {
  return filter.toLowerCase().split(/\s+/).filter(Boolean);
}

function matches(entry, words) {
  return entry.gap !== undefined || words.every((word) => entry.text.includes(word));
}

function searchText(event) {
  return `${event.type} #${event.seq} ${JSON.stringify(event.payload)}`.toLowerCase();
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
        details: list(payload.status, payload.taskCount === undefined ? undefined : `${payload.taskCount} ${payload.taskCount === 1 ? 'task' : 'tasks'}`),
        mood: payload.status === 'error' ? 'bad' : '',
      };
    case 'cron.executed':
      return {
        subject: payload.jobId,
        details: list(payload.exitCode === 0 ? 'ok' : `exit ${payload.exitCode}`,
                      payload.durationMs === undefined ? undefined : durationText(payload.durationMs), payload.command,
                      payload.exitCode === 0 ? undefined : payload.stderr),
        mood: payload.exitCode === 0 ? '' : 'bad',
      };
    case 'gateway.status':
      return { subject: 'gateway', details: list(payload.status, payload.version), mood: payload.status === 'running' ? '' : 'bad' };
    default:
      return { subject: '', details: plainJson(payload) };
  }
}

/** A line that opens to the whole event. */
function rowOf({ event, gap }) {
  const row = make('li', gap === undefined ? '' : 'gap', gap);
  if (gap !== undefined) return row;
  const { subject, details, mood = '' } = summaryOf(event);
  const time = make('time', '', clock.format(new Date(event.timestamp)));
  time.dateTime = event.timestamp;
  const whole = make('details');
  const line = make('summary', mood);
  line.tabIndex = -1;
  const whom = make('span', 'subject');
  setKey(whom, plainText(subject));
  line.append(time, make('span', 'type', plainText(event.type)), whom, make('span', 'said', plainText(details)), make('span', 'seq', '#' + event.seq));
  whole.append(line);
  whole.addEventListener('toggle', () => {
    if (whole.open && whole.childElementCount === 1) whole.append(make('pre', '', plainJson(event, 2)));
  });
  row.append(whole);
  return row;
}
