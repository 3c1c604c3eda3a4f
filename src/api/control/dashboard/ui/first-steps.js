// First steps for a person who has just started the server: commands that work as they are.

import { ORIGIN } from './api.js';
import { Copy, Facts, Snippet } from './parts.js';
import { quoted } from './snippets.js';
import { html, useState } from './vendor/preact.js';

/** A key that nobody has used. */
export const FRESH_KEY = `demo-${Array.from(crypto.getRandomValues(new Uint8Array(3)), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
const ORDERS = `${ORIGIN}/api/v2/orders`;
const BEARER = `Authorization: Bearer ${FRESH_KEY}`;

/** Command that sends JSON as a key of BIZ MORI. @param {string} url @param {string} key @param {unknown} body */
const postCommand = (url, key, body) => `curl -sS ${url} -H ${quoted(`Authorization: Bearer ${key}`)} -H 'Content-Type: application/json' \\
  -d ${quoted(JSON.stringify(body))}`;

/** Returns the command of an order that needs no upload. @param {string} idempotencyKey */
const orderCommand = (idempotencyKey) => postCommand(`${ORDERS}/anti-ai`, FRESH_KEY, {
  idempotencyKey,
  files: [{ fileName: 'poster.png', originalFileUrl: 'https://example.com/poster.png' }],
});

/**
 * Commands of a first order. `create` needs no file; `read` shows the result.
 * @type {Record<string, {name: string, create: string, read: string, sdk: [string, string][]}>}
 */
export const VENDORS = {
  bizmori: {
    name: 'BIZ MORI',
    create: orderCommand('first'),
    read: `curl -sS ${ORDERS} -H '${BEARER}'`,
    sdk: [['Base URL', `${ORIGIN}/api/v2`], ['or', `${ORIGIN}/api/v3`], ['Header', BEARER]],
  },
  undetectable: {
    name: 'Undetectable AI',
    create: `curl -sS '${ORIGIN}/get-presigned-url?file_name=photo_ai.jpg' -H 'apikey: ${FRESH_KEY}'`,
    read: `curl -sS ${ORIGIN}/check-user-credits -H 'apikey: ${FRESH_KEY}'`,
    sdk: [['Python SDK', `ImageDetectionClient(api_key="${FRESH_KEY}", base_url="${ORIGIN}")`], ['Base URL', ORIGIN], ['Header', `apikey: ${FRESH_KEY}`]],
  },
};

/** Commands and settings for a first request. */
export function FirstSteps() {
  const [vendor, setVendor] = useState('bizmori');
  const { create, read, sdk } = VENDORS[vendor];
  return html`<div class="page narrow"><section class="empty first-steps">
    <h2>Waiting for the first request</h2>
    <p>Point your client at this server, or paste a command. Any word is an API key; <code>${FRESH_KEY}</code> is a fresh one.</p>
    <div class="row" role="group" aria-label="Vendor">${Object.entries(VENDORS).map(([id, { name }]) => html`<button key=${id} type="button"
      class="button" aria-pressed=${id === vendor} onClick=${() => setVendor(id)}>${name}</button>`)}</div>
    <${Snippet} title="A first request" text=${create} />
    <${Snippet} title="Read it back" text=${read} />
    <h3>Settings of your client</h3>
    <${Facts} pairs=${sdk.map(([name, value]) => [name, html`<span class="row spread"><code>${value}</code><${Copy} text=${value} /></span>`])} />
  </section></div>`;
}

/** Commands that send a first message to an inbox. @param {{title: string, account?: string | null, inbox?: string, children?: any}} props */
export function FirstWebhook({ title, account, inbox = FRESH_KEY, children }) {
  const key = account ?? FRESH_KEY;
  const path = `/_mock/inbox/${encodeURIComponent(inbox)}`;
  const url = ORIGIN + path;
  return html`<section class="empty first-steps">
    <h2>${title}</h2>
    <p>An inbox receives webhooks inside this server, and this page shows them. Any name is an inbox.</p>
    <${Snippet} title="Register the inbox as a webhook" text=${postCommand(`${ORDERS}/webhooks`, key, { url })} />
    ${key === FRESH_KEY && html`<${Snippet} title="Create an order: the event follows when it has ended" text=${orderCommand('with-webhook')} />`}
    <${Snippet} title="Wait for the message in a test" text=${`curl -sS '${url}/messages?min=1&timeoutMs=10000&account=${key}'`} />
    <p>The server itself calls the URL: in a container, register <code>http://localhost:8080${path}</code>.
      A receiver of your own works as well: <code>http://localhost:3000/hooks</code>, or <code>http://host.docker.internal:3000/hooks</code>.</p>
    ${children}
  </section>`;
}
