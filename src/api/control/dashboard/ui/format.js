// Times, sizes and colours as text.

const UNITS = /** @type {[number, string][]} */ ([[86400000, 'd'], [3600000, 'h'], [60000, 'min'], [1000, 's']]);

/** Time of day in UTC: `10:00:00.123`. @param {string} at */
export const timeOfDay = (at) => at.slice(11, 23);

/** Instant without fractions: `2026-03-12 10:00:00Z`. @param {string | number} at */
export const instant = (at) => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}Z`;

/** Length of time for people, in at most two units: `30 min`, `1 d 4 h`, `250 ms`. @param {number} ms */
export function duration(ms) {
  const all = Math.abs(ms);
  if (all < 1000) return `${Math.round(all)} ms`;
  if (all < 10000) return `${Math.round(all / 100) / 10} s`;
  const largest = UNITS.findIndex(([size]) => all >= size);
  const [size, unit] = UNITS[largest];
  const whole = Math.floor(all / size);
  const smaller = UNITS[largest + 1];
  const rest = smaller ? Math.floor((all % size) / smaller[0]) : 0;
  return rest ? `${whole} ${unit} ${rest} ${smaller[1]}` : `${whole} ${unit}`;
}

/** Time from `now` to `at`: `in 30 min`, `5 s ago`. @param {number} at @param {number} now */
export function relative(at, now) {
  const ms = at - now;
  if (ms <= 0 && ms > -1000) return 'now';
  return ms > 0 ? `in ${duration(ms)}` : `${duration(ms)} ago`;
}

/** Number of bytes with a unit. @param {number | null | undefined} bytes */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return '';
  if (bytes < 1024) return `${bytes} B`;
  const unit = bytes < 1048576 ? 'KiB' : bytes < 1073741824 ? 'MiB' : 'GiB';
  const number = bytes / (unit === 'KiB' ? 1024 : unit === 'MiB' ? 1048576 : 1073741824);
  return `${number < 10 ? number.toFixed(1) : Math.round(number)} ${unit}`;
}

/** Class of a status for its colour: `ok`, `redirect`, `client`, `server` or `pending`. @param {number | null} status */
export function statusClass(status) {
  if (status === null) return 'pending';
  if (status < 300) return 'ok';
  return status < 400 ? 'redirect' : status < 500 ? 'client' : 'server';
}

/** Hue of an account, from the hash of its key. @param {string} hash */
export const hue = (hash) => Math.round((parseInt(hash.slice(0, 4), 16) / 65536) * 360);

/** Count with its noun: `1 request`, `3 requests`. @param {number} count @param {string} noun @param {string} [plural] */
export const counted = (count, noun, plural) => `${count.toLocaleString('en')} ${count === 1 ? noun : plural ?? `${noun}s`}`;

/** `true` if the text matches the glob: `*` is any text, `?` one character; case is ignored. @param {string} glob @param {string} text */
export function matchesGlob(glob, text) {
  const pattern = glob.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.');
  return new RegExp(`^${pattern}$`, 'is').test(text);
}
