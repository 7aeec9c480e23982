import { eventually } from './eventually.mjs';

/** What the pages of all browsers can do; a subclass has `evaluate`. */
export class Page {
  /** What `look`, run in the page, returns as soon as that is truthy. */
  until(what, look, { args = [], within } = {}) {
    return eventually(what, () => this.evaluate(look, ...args), within);
  }
}
