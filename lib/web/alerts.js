// What must not be missed: an agent that comes into error, a cron job that failed, a gateway that goes
// down. A toast, a number in the page's title while nobody looks, and, when asked for, the browser's own
// notification.
import { make, setText } from './view.js';

const MOST_TOASTS = 4;
const TOAST_MILLIS = 12_000;
const LATE_MILLIS = 60_000;

/** Which alarms are news: what is bad already, and says so again, is none. No document needed. */
export class AlarmBook {
  #bad = new Set();

  /** Begins with what the page shows anyway. */
  load(state) {
    this.#bad.clear();
    for (const agent of state.agents.values()) this.#mark('agent ' + agent.agentId, agent.status === 'error');
    this.#mark('gateway', state.gateway !== null && state.gateway.status !== 'running');
  }

  /** The alarm that an event raises, `{key, text}`, or null. */
  look({ type, payload = {} }) {
    if (type === 'agent.status') {
      const key = 'agent ' + payload.agentId;
      return this.#mark(key, payload.status === 'error') ? { key, text: `Agent ${payload.agentId} is in error` } : null;
    }
    if (type === 'gateway.status') {
      if (!this.#mark('gateway', payload.status !== 'running')) return null;
      return { key: 'gateway', text: payload.status === 'error' ? 'The gateway is in error' : 'The gateway is down' };
    }
    if (type === 'cron.executed' && payload.exitCode !== 0) {
      return { key: 'cron ' + payload.jobId, text: `Cron job ${payload.jobId} failed: exit ${payload.exitCode}` };
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
  #shown = new Map();  // by the alarm's key: {toast, words, times, timer}
  #title = document.title;
  #unseen = 0;

  constructor({ toasts, button }) {
    this.#toasts = toasts;
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#count(0);
    });
    if ('Notification' in globalThis && Notification.permission === 'default') {
      button.hidden = false;
      button.addEventListener('click', async () => {
        await Notification.requestPermission();
        button.hidden = true;
      });
    }
  }

  load(state) {
    this.#book.load(state);
  }

  look(event) {
    const alarm = this.#book.look(event);
    if (alarm === null) return;
    if (document.visibilityState !== 'visible') this.#count(this.#unseen + 1);
    this.#toast(alarm);
    // What is replayed after an absence is old news.
    if (Date.now() - Date.parse(event.timestamp) > LATE_MILLIS) return;
    if ('Notification' in globalThis && Notification.permission === 'granted' && document.visibilityState !== 'visible') {
      new Notification('clawws', { body: alarm.text, tag: alarm.key, icon: 'icon.svg' });
    }
  }

  #count(unseen) {
    this.#unseen = unseen;
    document.title = unseen > 0 ? `(${unseen}) ${this.#title}` : this.#title;
  }

  /** One toast for one thing, however often it fails. */
  #toast({ key, text }) {
    let shown = this.#shown.get(key);
    if (shown) {
      clearTimeout(shown.timer);
      shown.times += 1;
    } else {
      const toast = make('div', 'toast');
      const words = make('p');
      const close = make('button', '', '×');
      close.type = 'button';
      close.setAttribute('aria-label', 'Dismiss: ' + text);
      close.addEventListener('click', () => this.#remove(key));
      toast.append(words, close);
      this.#toasts.append(toast);
      shown = { toast, words, times: 1 };
      this.#shown.set(key, shown);
      if (this.#shown.size > MOST_TOASTS) this.#remove(this.#shown.keys().next().value);
    }
    setText(shown.words, shown.times === 1 ? text : `${text} (${shown.times} times)`);
    shown.timer = setTimeout(() => this.#remove(key), TOAST_MILLIS);
  }

  #remove(key) {
    const shown = this.#shown.get(key);
    if (!shown) return;
    clearTimeout(shown.timer);
    shown.toast.remove();
    this.#shown.delete(key);
  }
}
