// Events a minute over the last half hour, as bars.
import { setText } from './view.js';

const MINUTES = 30;
const SVG = 'http://www.w3.org/2000/svg';

export class Plot {
  #svg;
  #caption;
  #counts = new Map();  // by minute since 1970
  #drawing = false;

  constructor(svg, caption) {
    this.#svg = svg;
    this.#caption = caption;
    setInterval(() => this.#draw(), 10_000);
  }

  add(now) {
    const minute = Math.floor(now / 60_000);
    this.#counts.set(minute, (this.#counts.get(minute) ?? 0) + 1);
    if (this.#drawing) return;
    this.#drawing = true;
    setTimeout(() => {
      this.#drawing = false;
      this.#draw();
    }, 1_000);
  }

  #draw() {
    const newest = Math.floor(Date.now() / 60_000);
    for (const minute of this.#counts.keys()) {
      if (minute <= newest - MINUTES) this.#counts.delete(minute);
    }
    const counts = Array.from({ length: MINUTES }, (_, i) => this.#counts.get(newest - MINUTES + 1 + i) ?? 0);
    const most = Math.max(1, ...counts);
    this.#svg.replaceChildren(...counts.flatMap((count, i) => {
      if (count === 0) return [];
      const bar = document.createElementNS(SVG, 'rect');
      const height = Math.max(1, (count / most) * 38);
      for (const [name, value] of Object.entries({ x: i * 10 + 1, y: 40 - height, width: 8, height })) bar.setAttribute(name, String(value));
      return [bar];
    }));
    const total = counts.reduce((sum, count) => sum + count, 0);
    setText(this.#caption, total === 0 ? 'no events in the last 30 minutes'
      : `${counts.at(-1).toLocaleString()} events this minute, ${total.toLocaleString()} in the last 30, at most ${most.toLocaleString()} in one`);
  }
}
