// State of the page: accounts, the selected account and its clock, the rows of the journal, the live connection.

import { CallError, call, get, getAll, withQuery } from './api.js';
import { EventFeed } from './events.js';
import { useEffect, useReducer, useRef, useState } from './vendor/preact.js';

/**
 * @typedef {{seq: number, revision: number, at: string, receivedAt: string, account: string | null, operation: string,
 *   method: string, path: string, query: string | null, status: number | null, durationMs: number | null,
 *   ruleId: number | null, fault: string | null, reason: string | null, outcome: string | null,
 *   orderId: string | null}} RequestRow
 * @typedef {{key: string, hash: string, createdAt: string, plan: string, requestsPerMinute: number | null,
 *   credits: number | null, retentionDays: number | null, state: string, revision: string | null,
 *   processing: {delayMs: number, jitterMs: number} | null}} Account
 * @typedef {{now: string, mode: 'running' | 'frozen' | 'jump', offsetMs: number, isDefault: boolean,
 *   next: {at: string, kind: string, subject: string} | null, readAt: number}} Clock
 */

/** Rows that the page keeps. Older ones are in the journal only. */
const ROWS_MAX = 5000;
/** Rows that the page reads when it opens. */
const ROWS_FIRST = 1000;
/** Shortest pause before a path is read again. */
const READ_PAUSE_MS = 250;

/** State that parts of the page follow by [`useStore`]. */
export const state = {
  version: '',
  /** @type {Account[]} */
  accounts: [],
  /** Hash of the selected account; an empty string stands for all. */
  accountHash: '',
  /** @type {Clock | null} */
  clock: null,
  /** Rows of all accounts, in the order of their arrival. @type {RequestRow[]} */
  rows: [],
  /** Number of times that `rows` changed. */
  rowsVersion: 0,
  evicted: 0,
  skipped: 0,
  /** `true` while new rows are held back. */
  isPaused: false,
  /** Rows that wait for the end of the pause, by key. @type {Map<string, RequestRow>} */
  waiting: new Map(),
  /** @type {'connecting' | 'live' | 'gone' | 'hidden' | 'refused'} */
  live: 'connecting',
  needsToken: false,
  /** @type {CallError | null} */
  liveError: null,
};

/** @type {Set<() => void>} */
const listeners = new Set();
let isQueued = false;

/** Changes the state, and tells its followers once a frame. @param {Partial<typeof state>} patch */
export function update(patch) {
  Object.assign(state, patch);
  if (isQueued) return;
  isQueued = true;
  // A hidden tab has no frames.
  (document.hidden ? setTimeout : requestAnimationFrame)(() => {
    isQueued = false;
    for (const listener of [...listeners]) listener();
  });
}

/**
 * Returns a part of the state, and renders again when it changes.
 * @template T @param {(all: typeof state) => T} select @returns {T}
 */
export function useStore(select) {
  const [, renderAgain] = useReducer((count) => count + 1, 0);
  const selected = select(state);
  const last = useRef(selected);
  last.current = selected;
  const current = useRef(select);
  current.current = select;
  useEffect(() => {
    const listener = () => {
      if (!Object.is(current.current(state), last.current)) renderAgain(undefined);
    };
    listeners.add(listener);
    listener();
    return () => void listeners.delete(listener);
  }, []);
  return selected;
}

/** Returns the key of the selected account. `null` if all accounts are selected. */
export const accountKey = () => keyOf(state.accountHash);

/** Returns the key of an account by its hash. @param {string} hash @returns {string | null} */
export const keyOf = (hash) => state.accounts.find((account) => account.hash === hash)?.key ?? null;

/** Returns the hash of an account by its key; `-` for requests of no account. @param {string | null} key */
export const hashOf = (key) => (key === null ? '-' : state.accounts.find((account) => account.key === key)?.hash ?? '-');

/** Key of a row in maps. @param {RequestRow} row */
export const rowKey = (row) => `${row.account ?? ''}/${row.seq}`;

/** @type {Map<string, number>} */
let positions = new Map();

/** @param {Iterable<RequestRow>} rows */
function mergeRows(rows) {
  for (const row of rows) {
    const position = positions.get(rowKey(row));
    if (position === undefined) {
      positions.set(rowKey(row), state.rows.length);
      state.rows.push(row);
    } else if (row.revision >= state.rows[position].revision) {
      state.rows[position] = row;
    }
  }
  if (state.rows.length > ROWS_MAX * 1.2) {
    state.rows.splice(0, state.rows.length - ROWS_MAX);
    positions = new Map(state.rows.map((row, index) => [rowKey(row), index]));
  }
  update({ rowsVersion: state.rowsVersion + 1 });
}

/** @param {RequestRow[]} rows */
function receiveRows(rows) {
  if (!state.isPaused) return mergeRows(rows);
  const known = rows.filter((row) => positions.has(rowKey(row)));
  if (known.length) mergeRows(known);
  for (const row of rows) if (!positions.has(rowKey(row))) state.waiting.set(rowKey(row), row);
  while (state.waiting.size > ROWS_MAX) state.waiting.delete(state.waiting.keys().next().value ?? '');
  update({ waiting: new Map(state.waiting) });
}

/** Holds new rows back, or lets them in. @param {boolean} isPaused */
export function setPaused(isPaused) {
  if (isPaused === state.isPaused) return;
  const waiting = state.waiting;
  update({ isPaused, waiting: new Map() });
  if (!isPaused) mergeRows(waiting.values());
}

/** @typedef {'requests' | 'orders' | 'deliveries' | 'inbox' | 'clock' | 'rules' | 'accounts' | 'report'} Topic */
/** @type {Map<Topic, Set<(changed: any[]) => void>>} */
const topics = new Map();

/** Calls `listener` when something of the topic changes. Returns the end of it. @param {Topic} topic @param {(changed: any[]) => void} listener */
export function onTopic(topic, listener) {
  const all = topics.get(topic) ?? new Set();
  topics.set(topic, all.add(listener));
  return () => void all.delete(listener);
}

/** @param {Topic} topic @param {any[]} changed */
function announce(topic, changed) {
  for (const listener of [...(topics.get(topic) ?? [])]) listener(changed);
}

/**
 * Returns the JSON at a path of the control plane, and reads it again when one of the topics changes. `path` null reads
 * nothing. Two readings are at least `pauseMs` apart.
 * @param {string | null} path @param {Topic[]} on @param {(path: string, signal: AbortSignal) => Promise<any>} [read] @param {number} [pauseMs]
 * @returns {{data: any, error: CallError | null, reload: () => void}}
 */
export function useFetched(path, on = [], read = get, pauseMs = READ_PAUSE_MS) {
  const [result, setResult] = useState(/** @type {{path: string | null, data: any, error: any}} */ ({ path, data: null, error: null }));
  const reload = useRef(() => {});
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    let isReading = false;
    let isStale = false;
    let pause = pauseMs;
    const load = async () => {
      timer = undefined;
      if (isReading) return void (isStale = true);
      isReading = true;
      const startedAt = performance.now();
      try {
        const data = await read(path, abort.signal);
        if (!abort.signal.aborted) setResult({ path, data, error: null });
      } catch (error) {
        if (!abort.signal.aborted) setResult((last) => ({ path, data: last.path === path ? last.data : null, error }));
      }
      isReading = false;
      // A long listing of a busy server is read less often.
      pause = Math.max(pauseMs, 4 * (performance.now() - startedAt));
      if (isStale && !abort.signal.aborted) soon();
      isStale = false;
    };
    const soon = () => (timer ??= setTimeout(load, pause));
    reload.current = load;
    load();
    const ends = on.map((topic) => onTopic(topic, soon));
    return () => {
      abort.abort();
      clearTimeout(timer);
      for (const end of ends) end();
    };
  }, [path, on.join()]);
  const isCurrent = result.path === path;
  return { data: isCurrent ? result.data : null, error: isCurrent ? result.error : null, reload: () => reload.current() };
}

/** Follows a listing with pages as one list. @param {string | null} path @param {string} field @param {Topic[]} on @param {number} [pauseMs] */
export const useListing = (path, field, on, pauseMs) => useFetched(path, on, (all) => getAll(all, field, 1000), pauseMs);

/** Selects the account with that hash; an empty string selects all. @param {string} hash */
export function selectAccount(hash) {
  if (hash === state.accountHash) return;
  update({ accountHash: hash, clock: null });
  loadClock();
}

/** Reads the clock of the selected account, or the default clock. */
export async function loadClock() {
  const account = accountKey();
  try {
    const clock = await get(withQuery('clock', { account }));
    if (account === accountKey()) update({ clock: { ...clock, readAt: performance.now() } });
  } catch (error) {
    report(error);
  }
}

/** Reads the accounts again. */
export async function loadAccounts() {
  const accounts = await getAll('accounts', 'accounts');
  update({ accounts });
}

/** Current time by the clock that the top bar shows, in milliseconds. */
export function clockNow() {
  const { clock } = state;
  if (!clock) return Date.now();
  return Date.parse(clock.now) + (clock.mode === 'frozen' ? 0 : performance.now() - clock.readAt);
}

/** Removes the rows of one account, or of all, after the journal was cleared. @param {string | null} account */
export async function clearRequests(account) {
  await call('DELETE', withQuery('requests', { account }));
  await loadRows();
}

async function loadRows() {
  const { requests, evicted } = await get(`requests?rows=true&limit=${ROWS_FIRST}`);
  positions = new Map();
  state.rows = [];
  state.waiting = new Map();
  update({ evicted: evicted ?? 0, skipped: 0 });
  mergeRows(requests);
}

/** @param {unknown} error */
function report(error) {
  if (error instanceof CallError && error.status === 401) update({ needsToken: true });
}

/** @type {Record<string, (data: any) => void>} */
const HANDLERS = {
  requests: ({ rows, evicted }) => {
    receiveRows(rows);
    if (evicted !== undefined) update({ evicted });
    announce('requests', rows);
  },
  skipped: ({ count }) => {
    update({ skipped: state.skipped + count });
    // A tab that was hidden for long has missed more than rows.
    if (count > ROWS_FIRST) loadRows().catch(report);
    for (const topic of topics.keys()) announce(topic, []);
  },
  cleared: () => void loadRows().catch(report),
  restarted: () => void load(),
};

/**
 * Returns a function that calls `read` after a pause, once for all calls meanwhile.
 * @param {() => Promise<void>} read @param {number} pauseMs
 */
function soon(read, pauseMs) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return () => void (timer ??= setTimeout(() => ((timer = undefined), read().catch(report)), pauseMs));
}

const feed = new EventFeed(
  (event, data) => (HANDLERS[event] ? HANDLERS[event](data) : announce(/** @type {Topic} */ (event), data.changed ?? [])),
  (live, error) => {
    update({ live, liveError: error ?? null });
    report(error);
  },
);

/** Reads everything, and follows the server from there. Retries until the server answers. */
export async function load() {
  try {
    const { version, revision } = await get('info');
    update({ version, needsToken: false });
    await Promise.all([loadAccounts(), loadRows()]);
    await loadClock();
    feed.startAt(revision);
    for (const topic of topics.keys()) announce(topic, []);
  } catch (error) {
    report(error);
    if (error instanceof CallError && error.status === 401) return;
    update({ live: 'gone' });
    setTimeout(load, 1000);
  }
}

onTopic('accounts', soon(loadAccounts, 1000));
const clockSoon = soon(loadClock, READ_PAUSE_MS);
for (const topic of /** @type {Topic[]} */ (['clock', 'orders', 'deliveries', 'accounts'])) onTopic(topic, clockSoon);
