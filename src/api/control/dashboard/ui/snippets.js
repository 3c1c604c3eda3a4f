// Requests as commands and programs, ready to paste.

import { ORIGIN } from './api.js';

/**
 * @typedef {{seq: number, account: string | null, operation: string, method: string, path: string, query: string | null,
 *   requestHeaders: Record<string, string>, requestBody: any, status: number | null}} Exchange
 */

/** Headers that the client's HTTP library sets itself. */
const AUTOMATIC = new Set(['host', 'content-length', 'connection', 'accept-encoding', 'user-agent', 'accept', 'transfer-encoding', 'expect', 'accept-language']);

/** @param {Exchange} exchange */
const urlOf = ({ path, query }) => `${ORIGIN}${path}${query ? `?${query}` : ''}`;

/** @param {Exchange} exchange @returns {[string, string][]} */
const headersOf = ({ requestHeaders }) => Object.entries(requestHeaders ?? {}).filter(([name]) => !AUTOMATIC.has(name) && !name.startsWith('sec-'));

/** Returns the body as text. `undefined` if there is none, `null` if the journal does not have its bytes. @param {Exchange} exchange */
export function bodyText({ requestBody }) {
  if (requestBody === null || requestBody === undefined) return undefined;
  if (typeof requestBody === 'string') return requestBody;
  if (typeof requestBody.sha256 === 'string' && typeof requestBody.bytes === 'number') return null;
  return JSON.stringify(requestBody);
}

/** Text as one word of a shell. @param {string} text */
export const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** @param {Exchange} exchange */
export function asCurl(exchange) {
  const body = bodyText(exchange);
  const parts = ['curl -sS -i'];
  if (exchange.method !== (body === undefined ? 'GET' : 'POST')) parts.push(`-X ${exchange.method}`);
  parts.push(quoted(urlOf(exchange)), ...headersOf(exchange).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`));
  if (body === null) parts.push('--data-binary @FILE');
  else if (body !== undefined) parts.push(`--data-binary ${quoted(body)}`);
  return parts.join(' \\\n  ');
}

/** @param {Exchange} exchange */
export function asPython(exchange) {
  const body = bodyText(exchange);
  const headers = Object.fromEntries(headersOf(exchange));
  const data = body === undefined ? '' : `,\n    data=${body === null ? 'open("FILE", "rb")' : `${JSON.stringify(body)}.encode()`}`;
  return `import requests\n\nresponse = requests.request(\n    ${JSON.stringify(exchange.method)},\n    ${JSON.stringify(urlOf(exchange))},\n    headers=${JSON.stringify(headers)}${data},\n)\nprint(response.status_code, response.text)\n`;
}

/** @param {Exchange} exchange */
export function asFetch(exchange) {
  const body = bodyText(exchange);
  const options = { method: exchange.method, headers: Object.fromEntries(headersOf(exchange)) };
  const text = JSON.stringify(options, null, 2).replace(/\n}$/, body === undefined ? '\n}' : `,\n  "body": ${body === null ? 'await readFile("FILE")' : JSON.stringify(body)}\n}`);
  return `const response = await fetch(${JSON.stringify(urlOf(exchange))}, ${text});\nconsole.log(response.status, await response.text());\n`;
}

/** Returns a call of `verify` that such a request satisfies. @param {Exchange} exchange */
export function asVerify(exchange) {
  const body = exchange.requestBody;
  /** @type {Record<string, unknown>} */
  const when = { operation: exchange.operation, method: exchange.method, path: exchange.path };
  if (body && typeof body === 'object' && !('sha256' in body)) when.body = body;
  const call = { account: exchange.account ?? undefined, when, count: { min: 1 } };
  return `curl -sS ${ORIGIN}/_mock/requests/verify -d ${quoted(JSON.stringify(call))}`;
}

/** Returns a control-plane call as a curl command. @param {string} method @param {string} path @param {unknown} [body] */
export function controlCurl(method, path, body) {
  const verb = method === (body === undefined ? 'GET' : 'POST') ? '' : ` -X ${method}`;
  return `curl -sS${verb} '${ORIGIN}/_mock/${path}'${body === undefined ? '' : ` -d ${quoted(JSON.stringify(body))}`}`;
}
