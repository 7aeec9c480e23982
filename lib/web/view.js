// Small parts of the page: text that changes only when it must, ages, tables that keep their rows.

const MOST_ROWS = 200;
const TAIL_LETTERS = 8;
const YEAR_SECONDS = 365.25 * 86_400;
/** What each cell shows, since to ask the document is slower than to remember. */
const shownIn = new WeakMap();
const placesOf = new WeakMap();

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function make(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/** Hides what may have the focus, which then goes to a thing near it instead of to the top of the page. */
export function hide(element, isHidden, neighbour) {
  const hadFocus = isHidden && element.contains(document.activeElement);
  element.hidden = isHidden;
  if (hadFocus) neighbour.focus();
}

// What a terminal would not be sent as it is either: controls, marks that turn the order of what is read, invisible ones.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const SHORT_ESCAPES = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const hexOf = (character, digits) => character.charCodeAt(0).toString(16).padStart(digits, '0');

/** Text of an event as it is shown: what acts on the text around it is written out, in the form of `clawws tail`. */
export function plainText(text) {
  return String(text).replace(UNSAFE, (character) => SHORT_ESCAPES[character] ??
    (character < '\u0080' ? '\\x' + hexOf(character, 2) : '\\u' + hexOf(character, 4)));
}

/** The same for JSON, which it leaves JSON. */
export function plainJson(value, indent) {
  const written = (line) => line.replace(UNSAFE, (character) => '\\u' + hexOf(character, 4));
  return JSON.stringify(value, null, indent).split('\n').map(written).join('\n');
}

/** Keys are told apart by their ends: of one that is too long for its place, the middle goes. */
export function setKey(element, text) {
  const letters = [...text];
  if (letters.length <= 2 * TAIL_LETTERS) return setText(element, text);
  const head = make('span', 'head', letters.slice(0, -TAIL_LETTERS).join(''));
  element.replaceChildren(head, make('span', 'tail', letters.slice(-TAIL_LETTERS).join('')));
}

const decimal = (value, digits) => String(Number(value.toFixed(digits)));
const twoUnits = (big, unit, small, smallUnit) => `${big} ${unit}${small > 0 ? ` ${small} ${smallUnit}` : ''}`;

export function versionText(version) {
  return /^[0-9]/.test(version ?? '') ? 'v' + version : version;
}

/** In the form of `clawws tail`. */
export function durationText(millis) {
  if (millis === 0) return '0 s';
  if (millis < 99.5) return `${decimal(millis, millis < 9.95 ? 1 : 0)} ms`;
  if (millis < 59_950) return `${decimal(millis / 1_000, millis < 9_995 ? 2 : 1)} s`;
  const seconds = Math.round(millis / 1_000);
  if (seconds < 3_600) return twoUnits(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  if (seconds < 86_400) return twoUnits(Math.floor(seconds / 3_600), 'h', Math.floor(seconds / 60) % 60, 'min');
  if (seconds < 2 * YEAR_SECONDS) return twoUnits(Math.floor(seconds / 86_400), 'd', Math.floor(seconds / 3_600) % 24, 'h');
  return `${Math.floor(seconds / YEAR_SECONDS).toLocaleString()} y`;
}

/** Where there is little room: of two units the second goes when the first has two digits. */
export function shortDurationText(millis) {
  return durationText(millis).replace(/^([0-9]{2,} [a-z]+) .*/, '$1');
}

export function ageText(now, timestamp) {
  const seconds = Math.floor((now - Date.parse(timestamp)) / 1_000);
  if (!(seconds >= 1)) return 'now';
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6_000) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  if (seconds < 2 * YEAR_SECONDS) return `${Math.floor(seconds / 86_400)} d`;
  return `${Math.floor(seconds / YEAR_SECONDS)} y`;
}

/** Rows in the order of `records`; one that is there already is moved and changed, not made anew. */
export function fillTable(table, records, cellsOf, keyOf) {
  const body = table.tBodies[0];
  // The row that counts the others has no key: no record may be taken for it.
  body.querySelector(':scope > tr:not([data-key])')?.remove();
  const known = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  const shown = records.slice(0, MOST_ROWS);
  shown.forEach((record, index) => {
    const key = keyOf(record);
    const row = known.get(key) ?? document.createElement('tr');
    known.delete(key);
    row.dataset.key = key;
    const places = placesOf.get(row) ?? [];
    placesOf.set(row, places);
    cellsOf(record).forEach((cell, column) => {
      const { text, mood = '', number = false, place: where = '', time, whole } = cell;
      const words = plainText(text);
      const className = [mood, number ? 'number' : '', time ? 'ago' : '', where].filter(Boolean).join(' ');
      const title = time ?? whole ?? words;
      const place = places[column] ??= row.appendChild(make(column === 0 ? 'th' : 'td'));
      if (column === 0) place.scope = 'row';
      const now = `${words}\n${className}\n${title}`;
      if (shownIn.get(place) === now) return;
      shownIn.set(place, now);
      if (column === 0) setKey(place, words);
      else place.textContent = words;
      place.className = className;
      place.title = title;
    });
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null);
  });
  for (const row of known.values()) row.remove();
  if (records.length > MOST_ROWS) {
    const row = body.insertRow();
    const cell = row.insertCell();
    cell.colSpan = 5;
    cell.textContent = `and ${(records.length - MOST_ROWS).toLocaleString()} more`;
  }
}
