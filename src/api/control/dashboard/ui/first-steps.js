// What a person sees who has just started the server: commands that work as they are.

import { ORIGIN } from './api.js';
import { Copy, Snippet } from './parts.js';
import { html, useState } from './vendor/preact.js';

/** A key that nobody has used. */
export const FRESH_KEY = `demo-${Array.from(crypto.getRandomValues(new Uint8Array(3)), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;

/** Commands of a first order. `CREATE` needs no file; `READ` shows the result. @type {Record<string, {name: string, create: string, read: string, sdk: [string, string][]}>} */
export const VENDORS = {
  bizmori: {
    name: 'BIZ MORI',
    create: `curl -sS ${ORIGIN}/api/v2/orders/anti-ai -H 'Authorization: Bearer ${FRESH_KEY}' -H 'Content-Type: application/json' \\
  -d '{"idempotencyKey": "first", "files": [{"fileName": "poster.png", "originalFileUrl": "https://example.com/poster.png"}]}'`,
    read: `curl -sS '${ORIGIN}/api/v2/orders' -H 'Authorization: Bearer ${FRESH_KEY}'`,
    sdk: [['Base URL', `${ORIGIN}/api/v2`], ['or', `${ORIGIN}/api/v3`], ['Header', `Authorization: Bearer ${FRESH_KEY}`]],
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
    <div class="tabs" role="group" aria-label="Vendor">${Object.entries(VENDORS).map(([id, { name }]) => html`<button key=${id} type="button" class="button" aria-pressed=${id === vendor} onClick=${() => setVendor(id)}>${name}</button>`)}</div>
    <${Snippet} title="A first request" text=${create} />
    <${Snippet} title="Read it back" text=${read} />
    <h3>Settings of your client</h3>
    <dl class="facts settings">${sdk.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd><code>${value}</code> <${Copy} text=${value} /></dd></div>`)}</dl>
  </section></div>`;
}
