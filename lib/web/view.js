// Small parts of the page: text that changes only when it must, ages, tables that keep their rows.

const MOST_ROWS = 200;
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

export function durationText(millis) {
  if (millis < 1_000) return `${millis} ms`;
  if (millis < 100_000) return `${(millis / 1_000).toFixed(1)} s`;
  return `${Math.round(millis / 60_000)} min`;
}

export function ageText(now, timestamp) {
  const seconds = Math.floor((now - Date.parse(timestamp)) / 1_000);
  if (!(seconds >= 1)) return 'now';
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6_000) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Rows in the order of `records`; one that is there already is moved and changed, not made anew. */
export function fillTable(table, records, cellsOf, keyOf) {
  const body = table.tBodies[0];
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
      const { text, mood = '', number = false, place: where = '', time } = typeof cell === 'object' ? cell : { text: cell };
      const words = String(text);
      const className = [mood, number ? 'number' : '', where].filter(Boolean).join(' ');
      const title = time ?? words;
      const place = places[column] ??= row.insertCell();
      const now = `${words}\n${className}\n${title}`;
      if (shownIn.get(place) === now) return;
      shownIn.set(place, now);
      place.textContent = words;
      place.className = className;
      place.title = title;
    });
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null);
  });
  for (const row of known.values()) row.remove();
  if (records.length > MOST_ROWS) {
    const row = body.insertRow();
    row.dataset.key = '\u0000more';
    const cell = row.insertCell();
    cell.colSpan = 5;
    cell.textContent = `and ${(records.length - MOST_ROWS).toLocaleString()} more`;
  }
}
