// What must not be missed: an agent that comes into error, a cron job that failed, a gateway that goes
// down or is up again. A toast, a number in the page's title while nobody looks, and, when asked for, the browser's own
// notification.
import { make, plainText, setText } from './view.js';
import { Notifier } from './notifier.js';

const MOST_TOASTS = 4;
const TOAST_MILLIS = 12_000;
const LATE_MILLIS = 60_000;
const LONGEST_NAME = 100;

const nameOf = (id) => String(id).length > LONGEST_NAME ? String(id).slice(0, LONGEST_NAME - 1) + '…' : id;

/** Which alarms are news: what is bad already, and says so again, is none. No document needed. */
export class AlarmBook {
  #bad = new Set();

  /** Begins with what the page shows anyway. */
  load(state) {
    this.#bad.clear();
    for (const agent of state.agents.values()) this.#mark('agent ' + agent.agentId, agent.status === 'error');
    this.#mark('gateway', state.gateway !== null && state.gateway.status !== 'running');
  }

  /** Events are lost, with which anything may have recovered: what is bad from here on is news. */
  forget() {
    this.#bad.clear();
  }

  /** What an event has to say, `{key, text, mood}`, or null; a later one of the same key stands for the earlier. */
  look({ type, payload = {} }) {
    if (type === 'agent.status') {
      const key = 'agent ' + payload.agentId;
      return this.#mark(key, payload.status === 'error') ? { key, text: `Agent ${nameOf(payload.agentId)} is in error`, mood: 'bad' } : null;
    }
    if (type === 'gateway.status') {
      const wasBad = this.#bad.has('gateway');
      if (payload.status === 'running') {
        this.#mark('gateway', false);
        return wasBad ? { key: 'gateway', text: 'The gateway is up again', mood: 'good' } : null;
      }
      if (!this.#mark('gateway', true)) return null;
      return payload.status === 'error' ? { key: 'gateway', text: 'The gateway is in error', mood: 'bad' }
        : { key: 'gateway', text: 'The gateway is down', mood: 'warn' };
    }
    if (type === 'cron.executed' && payload.exitCode !== 0) {
      return { key: 'cron ' + payload.jobId, text: `Cron job ${nameOf(payload.jobId)} failed: exit ${payload.exitCode}`, mood: 'bad' };
    }
    return null;
  }

  /** True when it was not bad before. */
  #mark(key, isBad) {
    const isNews = isBad && !this.#bad.has(key);
    if (isBad) this.#bad.add(key);
    else this.#bad.delete(key);
    return isNews;
  }
}

export class Alerts {
  #book = new AlarmBook();
  #toasts;
  #more = make('p', 'more');
  #fallback;
  #millis;
  #shown = new Map();      // by the alarm's key: {toast, words, close, text, times, timer, until}
  #pushedOut = new Map();  // key -> until when it would have been shown
  #isPointedAt = false;
  #cameFrom = null;
  #title = document.title;
  #unseen = 0;
  #link = '';
  #notifier;

  /** `fallback` gets the focus of the last toast that is dismissed, when that came from nowhere. */
  constructor({ toasts, button, fallback, millis = TOAST_MILLIS }) {
    this.#toasts = toasts;
    this.#fallback = fallback;
    this.#millis = millis;
    this.#more.setAttribute('aria-live', 'off');
    this.#more.hidden = true;
    toasts.append(this.#more);
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#count(0);
    });
    toasts.addEventListener('pointerenter', () => this.#point(true));
    toasts.addEventListener('pointerleave', () => this.#point(false));
    toasts.addEventListener('focusin', ({ relatedTarget }) => {
      if (!toasts.contains(relatedTarget)) this.#cameFrom = relatedTarget;
      this.#arm(true);
    });
    toasts.addEventListener('focusout', ({ relatedTarget }) => this.#arm(toasts.contains(relatedTarget ?? document.activeElement)));
    this.#notifier = new Notifier(button);
  }

  load(state) {
    this.#book.load(state);
  }

  forget() {
    this.#book.forget();
  }

  look(event) {
    const alarm = this.#book.look(event);
    if (alarm === null) return;
    if (document.visibilityState !== 'visible' && alarm.mood !== 'good') this.#count(this.#unseen + 1);
    this.#toast(alarm);
    // What is replayed after an absence is old news.
    if (Date.now() - Date.parse(event.timestamp) > LATE_MILLIS) return;
    if (document.visibilityState !== 'visible') this.#notifier.notify(alarm);
  }

  #count(unseen) {
    this.#unseen = unseen;
    this.#showTitle();
  }

  /** What is wrong with the link, for who has the page in the background; '' when nothing is. */
  sayLink(text) {
    this.#link = text;
    this.#showTitle();
  }

  #showTitle() {
    const title = (this.#unseen > 0 ? `(${this.#unseen}) ` : '') + (this.#link ? this.#link + ' · ' : '') + this.#title;
    if (document.title !== title) document.title = title;
  }

  /** One toast for one thing, however often it fails. */
  #toast({ key, text, mood }) {
    let shown = this.#shown.get(key);
    if (!shown) {
      const toast = make('div', 'toast');
      const words = make('p');
      const close = make('button', '', '×');
      close.type = 'button';
      close.addEventListener('click', () => this.#remove(key));
      toast.append(words, close);
      this.#toasts.append(toast);
      shown = { toast, words, close, times: 0, timer: 0 };
      this.#shown.set(key, shown);
    }
    shown.times = shown.text === text ? shown.times + 1 : 1;
    shown.text = text;
    shown.toast.className = 'toast ' + mood;
    shown.close.setAttribute('aria-label', 'Dismiss: ' + plainText(text));
    setText(shown.words, plainText(text) + (shown.times === 1 ? '' : ` (${shown.times} times)`));
    clearTimeout(shown.timer);
    shown.timer = 0;
    this.#arm(this.#isHeld());
    if (this.#shown.size > MOST_TOASTS) this.#pushOut();
    this.#sayMore();
  }

  /** The oldest one that nobody is at. */
  #pushOut() {
    const [key, { until }] = [...this.#shown].find(([, { toast }]) => !toast.contains(document.activeElement));
    this.#pushedOut.set(key, until);
    this.#remove(key);
  }

  #sayMore() {
    const now = performance.now();
    for (const [key, until] of this.#pushedOut) {
      if (until <= now || this.#shown.has(key)) this.#pushedOut.delete(key);
    }
    this.#more.hidden = this.#pushedOut.size === 0 || this.#shown.size === 0;
    setText(this.#more, `+${this.#pushedOut.size.toLocaleString()} more`);
  }

  #point(isPointedAt) {
    this.#isPointedAt = isPointedAt;
    this.#arm(this.#isHeld());
  }

  #isHeld() {
    return this.#isPointedAt || this.#toasts.contains(document.activeElement);
  }

  /** None goes while it is read or has the focus; after that each has its whole time again. */
  #arm(isHeld) {
    for (const [key, shown] of this.#shown) {
      if (isHeld || this.#isPointedAt) {
        clearTimeout(shown.timer);
        shown.timer = 0;
        shown.until = performance.now() + this.#millis;
      } else if (shown.timer === 0) {
        shown.timer = setTimeout(() => this.#remove(key), this.#millis);
        shown.until = performance.now() + this.#millis;
      }
    }
  }

  #remove(key) {
    const shown = this.#shown.get(key);
    if (!shown) return;
    clearTimeout(shown.timer);
    const hadFocus = shown.toast.contains(document.activeElement);
    const neighbour = shown.toast.nextElementSibling ?? shown.toast.previousElementSibling;
    this.#shown.delete(key);
    if (hadFocus) this.#heirOf(neighbour).focus({ preventScroll: true });
    shown.toast.remove();
    if (this.#shown.size === 0) this.#isPointedAt = false;
    this.#sayMore();
  }

  #heirOf(neighbour) {
    const next = neighbour?.querySelector('button');
    if (next) return next;
    const isThere = this.#cameFrom?.isConnected && this.#cameFrom !== document.body && this.#cameFrom.getClientRects().length > 0;
    return isThere ? this.#cameFrom : this.#fallback;
  }
}
