// Calls of the control plane. Whatever this page does, curl can do too.

/** Origin of the server, for snippets and links. */
export const ORIGIN = location.origin;
const BASE = new URL('.', location.href.split('#')[0]);
const TOKEN = 'stuntdouble.token';

/** Error of a call, with the server's own words. `status` is 0 if there was no response. */
export class CallError extends Error {
  /** @param {number} status @param {string} code @param {string} message @param {string} hint */
  constructor(status, code, message, hint) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

/** Returns the control token of this tab, or an empty string. */
export const controlToken = () => sessionStorage.getItem(TOKEN) ?? '';

/** Keeps the control token until the tab is closed. @param {string} token */
export const setControlToken = (token) => sessionStorage.setItem(TOKEN, token);

/** Returns the URL of a control-plane path such as `orders/12`. @param {string} path */
export const urlOf = (path) => new URL(path, BASE).href;

/** Adds query parameters that are neither null nor empty to a path, which can have some already. @param {string} path @param {Record<string, unknown>} query */
export function withQuery(path, query) {
  const pairs = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const text = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
  return text ? `${path}${path.includes('?') ? '&' : '?'}${text}` : path;
}

/** Sends a request and returns the response, whatever its status. @param {string} path @param {RequestInit} [init] */
export function send(path, init = {}) {
  const headers = new Headers(init.headers);
  if (controlToken()) headers.set('Authorization', `Bearer ${controlToken()}`);
  return fetch(urlOf(path), { ...init, headers, cache: 'no-store' });
}

/**
 * Calls the control plane, and returns the JSON of the response.
 * @param {string} method @param {string} path @param {unknown} [body] @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 * @throws {CallError} if there is no response, or its status is an error.
 */
export async function call(method, path, body, signal) {
  const init = { method, signal, body: body === undefined ? undefined : JSON.stringify(body) };
  if (body !== undefined) Object.assign(init, { headers: { 'Content-Type': 'application/json' } });
  let response;
  try {
    response = await send(path, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new CallError(0, 'unreachable', 'The server does not answer.', 'Is it still running? The page retries by itself.');
  }
  const text = await response.text();
  let json = null;
  try {
    json = text ? JSON.parse(text) : null;
  } catch {
    // A proxy in between answered with something else; the status says enough.
  }
  if (!response.ok) {
    const error = json?.error ?? {};
    const message = error.message ?? `${method} ${path} answered ${response.status}`;
    const refusal = new CallError(response.status, error.code ?? '', message, error.hint ?? '');
    throw Object.assign(refusal, { body: json });
  }
  return json;
}

/** @param {string} path @param {AbortSignal} [signal] */
export const get = (path, signal) => call('GET', path, undefined, signal);

/**
 * Returns all entries of a paged listing, at most `max`.
 * @param {string} path @param {string} field @param {number} [max] @returns {Promise<any[]>}
 */
export async function getAll(path, field, max = 5000) {
  const entries = [];
  for (let after = null; ;) {
    const separator = path.includes('?') ? '&' : '?';
    const page = await get(`${path}${separator}limit=1000${after === null ? '' : `&after=${encodeURIComponent(after)}`}`);
    entries.push(...page[field]);
    after = page.next ?? null;
    if (after === null || entries.length >= max) return entries;
  }
}
