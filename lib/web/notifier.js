// The browser's own notifications: asked for by a button that stays, says what came of it, and turns them off.
import { plainText, setText } from './view.js';

const OFF = 'clawws.notifications-off';

export class Notifier {
  #button;
  #isOff = false;

  constructor(button) {
    this.#button = button;
    if (!('Notification' in globalThis)) return;
    try {
      this.#isOff = localStorage.getItem(OFF) !== null;
    } catch {
      // A browser that keeps nothing for this page: the choice lives as long as the page.
    }
    button.hidden = false;
    button.addEventListener('click', () => this.#click());
    // It may have been changed in the browser's settings.
    document.addEventListener('visibilitychange', () => this.#show());
    this.#show();
  }

  notify({ key, text }) {
    if (!this.#isOn()) return;
    try {
      new Notification('clawws', { body: plainText(text), tag: key, icon: 'icon.svg' });
    } catch {
      // Browsers of telephones have the name but let only service workers use it; the toast is there.
    }
  }

  #isOn() {
    return 'Notification' in globalThis && Notification.permission === 'granted' && !this.#isOff;
  }

  async #click() {
    if (Notification.permission === 'denied') return;
    const wasOn = this.#isOn();
    if (Notification.permission === 'default') await Notification.requestPermission();
    this.#isOff = wasOn;
    try {
      if (wasOn) localStorage.setItem(OFF, '1');
      else localStorage.removeItem(OFF);
    } catch {
      // As above.
    }
    this.#show();
  }

  #show() {
    const state = Notification.permission === 'denied' ? 'blocked' : this.#isOn() ? 'on' : 'off';
    this.#button.dataset.notify = state;
    setText(this.#button, { blocked: 'Blocked by the browser', on: 'Notifications on', off: 'Notify me' }[state]);
    this.#button.title = {
      blocked: "Notifications of this page are blocked in the browser's settings",
      on: 'Turns them off',
      off: 'Notifies you of failures while this page is in the background',
    }[state];
    if (state === 'blocked') this.#button.setAttribute('aria-disabled', 'true');
    else this.#button.removeAttribute('aria-disabled');
  }
}
