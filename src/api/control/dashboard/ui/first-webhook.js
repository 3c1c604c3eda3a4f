// Commands of a first webhook, received by an inbox of this server.

import { ORIGIN } from './api.js';
import { FRESH_KEY, VENDORS } from './first-steps.js';
import { Snippet } from './parts.js';
import { quoted } from './snippets.js';
import { html } from './vendor/preact.js';

/** Command that registers an inbox as a webhook of a key. @param {string} key @param {string} inbox */
function registration(key, inbox) {
  const url = `${ORIGIN}/_mock/inbox/${encodeURIComponent(inbox)}`;
  return `curl -sS ${ORIGIN}/api/v2/orders/webhooks -H ${quoted(`Authorization: Bearer ${key}`)} -H 'Content-Type: application/json' \\
  -d ${quoted(JSON.stringify({ url }))}`;
}

/** Commands that send a first message to an inbox that exists. @param {{account: string | null, name: string}} props */
export const FirstMessage = ({ account, name }) => html`<section class="empty">
  <h2>No message yet</h2>
  <p>Register the inbox as a webhook${account === null ? ' of a fresh key' : ''}, and create an order. Each event that is sent appears here at once.</p>
  <${Snippet} title="Register it" text=${registration(account ?? FRESH_KEY, name)} />
  ${(account ?? FRESH_KEY) === FRESH_KEY && html`<${Snippet} title="Create an order" text=${VENDORS.bizmori.create} />`}
</section>`;

/** URL of that inbox for a server in a container. */
const CONTAINER_INBOX = `http://localhost:8080/_mock/inbox/${FRESH_KEY}`;
/** Command that waits for the message. */
const WAIT = `curl -sS '${ORIGIN}/_mock/inbox/${FRESH_KEY}/messages?min=1&timeoutMs=10000&account=${FRESH_KEY}'`;

/** @param {{title: string}} props */
export const FirstWebhook = ({ title }) => html`<section class="empty first-steps">
  <h2>${title}</h2>
  <p>An inbox is a receiver built into this server, and any name is an inbox. A webhook posts to it, and this page shows what came.</p>
  <p><code>${FRESH_KEY}</code> is a fresh API key: these commands work as they are.</p>
  <${Snippet} title="Register an inbox as the webhook" text=${registration(FRESH_KEY, FRESH_KEY)} />
  <${Snippet} title="Create an order: the event follows when it has ended" text=${VENDORS.bizmori.create} />
  <${Snippet} title="Wait for the message in a test" text=${WAIT} />
  <p>The server itself calls the URL. If it runs in a container, its own port is the one inside: register <code>${CONTAINER_INBOX}</code>.</p>
  <p>A receiver of your own works as well, if its address is private: <code>http://localhost:3000/hooks</code>,${' '}
    or <code>http://host.docker.internal:3000/hooks</code> from a container.</p>
</section>`;
