// The live feed: the newest events on top. Thousands of events a second change a buffer; the page
// changes once a frame, and holds a bounded number of lines.
import { durationText, make, plainJson, plainText, setKey, setText, versionText } from './view.js';

const MOST_KEPT = 10_000;
/** Of the events' JSON: a page may not grow with the size of what comes. */
const MOST_CHARACTERS = 16 * 1_024 * 1_024;
const MOST_SEARCHED = 2_000;
const LONGEST_LINE = 1_000;
const MOST_SHOWN = 200;
// Made once: to make one is most of the cost of a line.
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const dayAndTime = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' });
const dayOfYear = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
/** So that who types hears one result, not one for each letter. */
const SAY_AFTER_MILLIS = 700;

export class Feed {
  #list;
  #empty;
  #filter;
  #pause;
  #count;
  #said;
  #sayTimer = 0;
  #isCleared = false;
  #day = '';
  #kept = [];      // oldest first: {event, text} or {gap}
  #waiting = [];   // came while paused, or since the last frame
  #total = 0;
  #isPaused = false;
  #drawing = false;

  constructor({ list, empty, filter, pause, clear, count, said }) {
    this.#list = list;
    this.#empty = empty;
    this.#filter = filter;
    this.#pause = pause;
    this.#count = count;
    this.#said = said;
    filter.form.addEventListener('submit', (submit) => submit.preventDefault());
    filter.addEventListener('input', () => {
      this.#showAll();
      this.#saySoon();
    });
    list.addEventListener('keydown', (pressed) => this.#walk(pressed));
    pause.addEventListener('click', () => this.#setPaused(!this.#isPaused));
    clear.addEventListener('click', () => {
      this.#kept = [];
      this.#waiting = [];
      this.#total = 0;
      this.#isCleared = true;
      this.#showAll();
      this.#saySoon();
    });
  }

  add(event) {
    this.#total += 1;
    this.#push(entryOf(event));
  }

  addGap(text) {
    this.#push({ gap: text });
  }

  /** Events that came before all others here, oldest first. */
  addOlder(events) {
    this.#total += events.length;
    this.#kept.unshift(...events.map(entryOf));
    this.#kept = newestOf(this.#kept);
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
    if (this.#waiting.length % 256 === 0) this.#waiting = newestOf(this.#waiting);
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
    this.#pause.toggleAttribute('data-paused', isPaused);
    this.#draw();
  }

  #draw() {
    const words = wordsOf(this.#filter.value);
    if (this.#isPaused) {
      this.#showCount(words);
      setText(this.#pause, this.#waiting.length === 0 ? 'Resume' : `Resume (${this.#waiting.length.toLocaleString()} new)`);
      return;
    }
    setText(this.#pause, 'Pause');
    const fresh = this.#waiting;
    this.#waiting = [];
    this.#kept = newestOf(this.#kept.concat(fresh));
    this.#showCount(words);
    const day = new Date().toDateString();
    if (day !== this.#day && this.#list.childElementCount > 0) return this.#showAll();
    this.#day = day;
    const rows = [];
    for (let i = fresh.length - 1; i >= 0 && rows.length < MOST_SHOWN; --i) {
      if (matches(fresh[i], words)) rows.push(rowOf(fresh[i]));
    }
    this.#list.prepend(...rows);
    while (this.#list.childElementCount > MOST_SHOWN) this.#list.lastElementChild.remove();
    this.#sayEmpty(words);
  }

  #showAll() {
    this.#day = new Date().toDateString();
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
    setText(this.#empty, words.length > 0 && this.#kept.length > 0 ? 'No event here matches the filter.'
      : this.#isCleared ? 'Cleared. New events appear here as they happen.' : 'No event yet. They appear here as they happen.');
  }

  /** How many there are, and with a filter how many of those that are kept match it. */
  #showCount(words) {
    if (words.length === 0) return setText(this.#count, this.#total.toLocaleString());
    const events = this.#kept.filter(({ gap }) => gap === undefined);
    const matching = events.reduce((sum, entry) => sum + (matches(entry, words) ? 1 : 0), 0);
    setText(this.#count, `${matching.toLocaleString()} of ${events.length.toLocaleString()}`);
  }

  /** For who listens: what came of what they did, and nothing of each event. */
  #saySoon() {
    clearTimeout(this.#sayTimer);
    this.#sayTimer = setTimeout(() => {
      const isFiltered = wordsOf(this.#filter.value).length > 0;
      setText(this.#said, !this.#empty.hidden ? this.#empty.textContent : `${this.#count.textContent} events${isFiltered ? ' match' : ''}`);
    }, SAY_AFTER_MILLIS);
  }
}

function wordsOf(filter) {
  return filter.toLowerCase().split(/\s+/).filter(Boolean);
}

function matches(entry, words) {
  return entry.gap !== undefined || words.every((word) => entry.text.includes(word));
}

/** What is kept of an event; the filter looks at the beginning of a long one. */
function entryOf(event) {
  const json = JSON.stringify(event.payload ?? {});
  return { event, size: json.length, text: `${event.type} #${event.seq} ${json.slice(0, MOST_SEARCHED)}`.toLowerCase() };
}

/** The last of the entries: as many as may be kept, and the newest one in any case. */
export function newestOf(entries) {
  let from = entries.length;
  let characters = 0;
  while (from > 0 && entries.length - from < MOST_KEPT) {
    characters += entries[from - 1].size ?? 0;
    if (characters > MOST_CHARACTERS && from < entries.length) break;
    from -= 1;
  }
  return from === 0 ? entries : entries.slice(from);
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
      return { subject: 'gateway', details: list(payload.status, versionText(payload.version)), mood: { running: '', stopped: 'warn' }[payload.status] ?? 'bad' };
    default:
      return { subject: '', details: plainJson(payload) };
  }
}

/** The time of an event of today, the day of another one. */
function whenText(at, now) {
  if (at.toDateString() === now.toDateString()) return clock.format(at);
  return (at.getFullYear() === now.getFullYear() ? dayAndTime : dayOfYear).format(at);
}

/** A line that opens to the whole event. */
function rowOf({ event, gap }) {
  const row = make('li', gap === undefined ? '' : 'gap', gap);
  if (gap !== undefined) return row;
  const { subject, details, mood = '' } = summaryOf(event);
  const time = make('time', '', whenText(new Date(event.timestamp), new Date()));
  time.dateTime = event.timestamp;
  time.title = event.timestamp;
  const whole = make('details');
  const line = make('summary', mood);
  line.tabIndex = -1;
  const whom = make('span', 'subject');
  setKey(whom, plainText(String(subject).slice(0, LONGEST_LINE)));
  line.append(time, make('span', 'type', plainText(event.type)), whom, make('span', 'said', plainText(details.slice(0, LONGEST_LINE))), make('span', 'seq', '#' + event.seq));
  whole.append(line);
  whole.addEventListener('toggle', () => {
    if (whole.open && whole.childElementCount === 1) whole.append(make('pre', '', plainJson(event, 2)));
  });
  row.append(whole);
  return row;
}
