// What must not be missed: an agent in error, a cron job that failed, a gateway that is down. A toast,
// a number in the page's title while nobody looks, and, when asked for, the browser's own notification.
import { summaryOf } from './feed.js';
import { make } from './view.js';

const MOST_TOASTS = 4;
const TOAST_MILLIS = 12_000;
const LATE_MILLIS = 60_000;

export class Alerts {
  #toasts;
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

  look(event) {
    const text = alarmOf(event);
    if (text === null) return;
    if (document.visibilityState !== 'visible') this.#count(this.#unseen + 1);
    this.#toast(text);
    // What is replayed after an absence is old news.
    if (Date.now() - Date.parse(event.timestamp) > LATE_MILLIS) return;
    if ('Notification' in globalThis && Notification.permission === 'granted' && document.visibilityState !== 'visible') {
      new Notification('clawws', { body: text, tag: `${event.type} ${summaryOf(event).subject}`, icon: 'icon.svg' });
    }
  }

  #count(unseen) {
    this.#unseen = unseen;
    document.title = unseen > 0 ? `(${unseen}) ${this.#title}` : this.#title;
  }

  #toast(text) {
    const toast = make('div', 'toast');
    const close = make('button', '', '×');
    close.type = 'button';
    close.setAttribute('aria-label', 'Dismiss');
    close.addEventListener('click', () => toast.remove());
    toast.append(make('p', '', text), close);
    this.#toasts.append(toast);
    while (this.#toasts.childElementCount > MOST_TOASTS) this.#toasts.firstElementChild.remove();
    setTimeout(() => toast.remove(), TOAST_MILLIS);
  }
}

/** The text of an alarm, or null when the event is none. */
export function alarmOf({ type, payload = {} }) {
  if (type === 'agent.status' && payload.status === 'error') return `Agent ${payload.agentId} is in error`;
  if (type === 'cron.executed' && payload.exitCode !== 0) return `Cron job ${payload.jobId} failed: exit ${payload.exitCode}`;
  if (type === 'gateway.status' && payload.status !== 'running') return `The gateway is ${payload.status === 'error' ? 'in error' : 'down'}`;
  return null;
}
