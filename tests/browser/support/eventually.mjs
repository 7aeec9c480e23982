// Waiting for conditions; nothing in these tests waits for time alone.
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_EVERY_MILLIS = 20;

/** What `look` returns as soon as that is truthy; an error that says what was waited for when it never is. */
export async function eventually(what, look, withinMillis = 10_000) {
  const deadline = Date.now() + withinMillis;
  let seen;
  for (;;) {
    try {
      seen = await look();
      if (seen) return seen;
    } catch (problem) {
      seen = problem;
    }
    if (Date.now() >= deadline) {
      const last = seen instanceof Error ? seen.stack : JSON.stringify(seen);
      throw new Error(`waited ${withinMillis} ms in vain until ${what}; last seen: ${last}`, { cause: seen });
    }
    await pause(LOOK_EVERY_MILLIS);
  }
}

/** That `look` stays true for so long: for what must not happen. */
export async function throughout(what, look, millis) {
  const end = Date.now() + millis;
  while (Date.now() < end) {
    if (!(await look())) throw new Error(`no longer true: ${what}`);
    await pause(LOOK_EVERY_MILLIS);
  }
}
