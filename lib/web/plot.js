// Events a minute over the last half hour, as bars.
import { setText } from './view.js';

const MINUTES = 30;
const MOST_AHEAD_MILLIS = 60_000;
const SVG = 'http://www.w3.org/2000/svg';

/** How many events each minute had. No document needed; times are milliseconds since 1970. */
export class MinuteCounts {
  #counts = new Map();  // by minute since 1970
  #knownSince = 0;

  /** Counts an event; one from a clock that goes a little ahead counts as now, one of a later time not at all. */
  add(at, now) {
    if (at - now > MOST_AHEAD_MILLIS) return;
    const minute = Math.floor(Math.min(at, now) / 60_000);
    this.#counts.set(minute, (this.#counts.get(minute) ?? 0) + 1);
  }

  /** What was before that is not known; it must not look like nothing. */
  knownSince(at) {
    this.#knownSince = Math.ceil(Math.min(at, Date.now()) / 60_000);
  }

  /** `{counts, known}`: the last minutes, oldest first, and how many of them are known. */
  last(now) {
    const newest = Math.floor(now / 60_000);
    for (const minute of this.#counts.keys()) {
      if (minute <= newest - MINUTES) this.#counts.delete(minute);
    }
    const counts = Array.from({ length: MINUTES }, (_, i) => this.#counts.get(newest - MINUTES + 1 + i) ?? 0);
    return { counts, known: Math.max(1, Math.min(MINUTES, newest - this.#knownSince + 1)) };
  }
}

export class Plot {
  #svg;
  #caption;
  #counts = new MinuteCounts();
  #drawing = false;

  constructor(svg, caption) {
    this.#svg = svg;
    this.#caption = caption;
    setInterval(() => this.#draw(), 10_000);
  }

  add(timestamp) {
    const now = Date.now();
    this.#counts.add(Date.parse(timestamp), now);
    if (this.#drawing) return;
    this.#drawing = true;
    setTimeout(() => {
      this.#drawing = false;
      this.#draw();
    }, 500);
  }

  knownSince(timestamp) {
    this.#counts.knownSince(Date.parse(timestamp));
  }

  #draw() {
    const { counts, known } = this.#counts.last(Date.now());
    const most = Math.max(1, ...counts);
    this.#svg.replaceChildren(...counts.map((count, i) => {
      const bar = document.createElementNS(SVG, 'rect');
      // A minute without an event has a foot, so that the axis is there; one that is not known has none.
      const height = i < MINUTES - known ? 0 : Math.max(count === 0 ? 0.6 : 2, (count / most) * 38);
      for (const [name, value] of Object.entries({ x: i * 10 + 1, y: 40 - height, width: 8, height })) bar.setAttribute(name, String(value));
      return bar;
    }));
    const total = counts.reduce((sum, count) => sum + count, 0);
    const span = known === 1 ? 'the last minute' : `the last ${known} minutes`;
    setText(this.#caption, total === 0 ? `No events in ${span}`
      : `${counts.at(-1).toLocaleString()} ${counts.at(-1) === 1 ? 'event' : 'events'} this minute, ${total.toLocaleString()} in ${span}, at most ${most.toLocaleString()} in one`);
  }
}
