// Deliveries of webhooks: attempts by delivery, their places on the retry schedule, and clocks of their accounts.

import { get, withQuery } from './api.js';
import { relative } from './format.js';
import { useTick } from './parts.js';
import { useFetched } from './store.js';
import { html } from './vendor/preact.js';

/**
 * @typedef {{id: string, at: string, account: string, webhookId: number, eventId: string, eventType: string,
 *   orderId: string | null, url: string, attempt: number, requestHeaders: Record<string, string>, requestBody: string,
 *   status: number | null, responseHeaders: Record<string, string> | null, responseBody: string | null,
 *   responseClipped: boolean, error: string | null, durationMs: number, nextAt: string | null,
 *   deliveryStatus: 'SENT' | 'RETRYING' | 'FAILED', ruleId: number | null}} Attempt
 * @typedef {{id: number, account: string, vendor: string, name: string | null, url: string, secret: string,
 *   isTest: boolean, isActive: boolean, isLegacy: boolean, signatureHeader: string, retryScheduleMs: number[],
 *   createdAt: string, updatedAt: string, lastSentAt: string | null}} Endpoint
 * @typedef {{id: string, account: string, webhookId: number, eventId: string, eventType: string, orderId: string | null,
 *   url: string, status: 'SENT' | 'RETRYING' | 'FAILED' | 'STOPPED', nextAt: string | null, endpoint: Endpoint | null,
 *   attempts: Attempt[], last: Attempt}} Delivery
 * @typedef {{kind: 'done', number: number, attempts: Attempt[]} | {kind: 'next', number: number, at: string}
 *   | {kind: 'later', number: number, at: string} | {kind: 'gone', number: number} | {kind: 'none', number: number}} Slot
 * @typedef {{now: number, isFrozen: boolean, readAt: number}} AccountClock
 */

/** Attempts without a limit would make a row of any width. */
const SLOTS_MAX = 12;

/**
 * Groups attempts, the oldest first, into deliveries, the newest first. A delivery of a deleted webhook has no
 * endpoint, and is not retried.
 * @param {Attempt[]} attempts @param {Endpoint[]} endpoints @returns {Delivery[]}
 */
export function groupAttempts(attempts, endpoints) {
  const byId = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]));
  /** @type {Map<string, Attempt[]>} */
  const groups = new Map();
  for (const attempt of attempts) {
    const id = String(attempt.id);
    groups.set(id, [...(groups.get(id) ?? []), attempt]);
  }
  /** @type {Delivery[]} */
  const deliveries = [...groups].map(([id, all]) => {
    const last = /** @type {Attempt} */ (all.at(-1));
    const endpoint = byId.get(last.webhookId) ?? null;
    const { account, webhookId, eventId, eventType, orderId, url } = last;
    const status = last.deliveryStatus === 'RETRYING' && !endpoint ? 'STOPPED' : last.deliveryStatus;
    const nextAt = status === 'RETRYING' ? last.nextAt : null;
    return { id, account, webhookId, eventId, eventType, orderId, url, status, nextAt, endpoint, attempts: all, last };
  });
  return deliveries.reverse();
}

/** Number of attempts that the grid has a column for. @param {Delivery[]} deliveries */
export function slotCount(deliveries) {
  const counts = deliveries.map(({ last, nextAt, endpoint }) => Math.max((endpoint?.retryScheduleMs.length ?? 0) + 1, last.attempt + (nextAt ? 1 : 0)));
  return Math.min(SLOTS_MAX, Math.max(1, ...counts));
}

/**
 * Places of a delivery on the retry schedule: attempts made, the next one, and later ones if all fail.
 * @param {Delivery} delivery @param {number} count @returns {Slot[]}
 */
export function slotsOf(delivery, count) {
  const { attempts, last, nextAt, endpoint } = delivery;
  let due = nextAt ? Date.parse(nextAt) : null;
  return Array.from({ length: count }, (_, index) => {
    const number = index + 1;
    const made = attempts.filter(({ attempt }) => attempt === number);
    if (made.length) return { kind: 'done', number, attempts: made };
    if (number < last.attempt) return { kind: 'gone', number };
    if (due === null) return { kind: 'none', number };
    const at = new Date(due).toISOString();
    const delay = endpoint?.retryScheduleMs[number - 1];
    due = delay === undefined ? null : due + delay;
    return { kind: number === last.attempt + 1 ? 'next' : 'later', number, at };
  });
}

/** Texts of errors with the word that stands for them where there is no room. @type {[RegExp, string][]} */
const ERROR_WORDS = [
  [/dropped/, 'dropped'],
  [/connection refused/, 'refused'],
  [/timed out|took too long/, 'timeout'],
  [/was reset/, 'reset'],
  [/truncated/, 'cut off'],
  [/not HTTP/, 'garbage'],
  [/closed before/, 'closed'],
  [/public address|metadata address|unspecified address|multicast/, 'blocked'],
  [/dns|lookup|resolve/i, 'no host'],
  [/certificate|tls/i, 'TLS'],
];

/** Result of an attempt in one word: the status, or what went wrong. @param {Attempt} attempt */
export function resultWord({ status, error }) {
  if (status !== null) return String(status);
  return ERROR_WORDS.find(([pattern]) => pattern.test(error ?? ''))?.[1] ?? 'error';
}

/** Class of an attempt's result for its colour. @param {Attempt} attempt */
export function resultClass({ status }) {
  if (status === null) return 'server';
  return status < 300 ? 'ok' : status < 500 ? 'client' : 'server';
}

/** Name of the inbox that a webhook's URL leads to. `null` if it leads elsewhere. @param {string} url */
export function inboxOf(url) {
  const [, name] = /^https?:\/\/[^/?#]+\/_mock\/inbox\/([^/?#]+)/.exec(url) ?? [];
  try {
    return name ? decodeURIComponent(name) : null;
  } catch {
    return null;
  }
}

/**
 * Follows the clocks of accounts, because each account can have its own.
 * @param {string[]} accounts @returns {Map<string, AccountClock>}
 */
export function useClocks(accounts) {
  const keys = [...new Set(accounts)].sort().slice(0, 20);
  const path = keys.length ? JSON.stringify(keys) : null;
  const { data } = useFetched(path, ['clock', 'accounts'], readClocks);
  return data ?? new Map();
}

/** @param {string} keys JSON array of keys. @param {AbortSignal} signal */
async function readClocks(keys, signal) {
  /** @param {string} account */
  const read = async (account) => {
    const { now, mode } = await get(withQuery('clock', { account }), signal);
    return [account, { now: Date.parse(now), isFrozen: mode === 'frozen', readAt: performance.now() }];
  };
  return new Map(/** @type {any} */ (await Promise.all(JSON.parse(keys).map(read))));
}

/**
 * Time until an instant by the clock of an account, such as `in 1 h 59 min`. `isShort` is for cells: `1 h`.
 * @param {{at: string, clock?: AccountClock, isShort?: boolean}} props
 */
export function Until({ at, clock, isShort = false }) {
  useTick(clock && !clock.isFrozen ? 500 : 60000);
  if (!clock) return html`<span title=${at}>…</span>`;
  const now = clock.now + (clock.isFrozen ? 0 : performance.now() - clock.readAt);
  const text = Date.parse(at) <= now ? 'due' : relative(Date.parse(at), now);
  const short = text.replace(/^in /, '').split(' ').slice(0, 2).join(' ');
  return html`<span title=${`${text}: ${at} by the account's clock`}>${isShort ? short : text}</span>`;
}
