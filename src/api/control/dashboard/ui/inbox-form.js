// Form that sets up an inbox: how it answers, and how it checks signatures.

import { call } from './api.js';
import { counted } from './format.js';
import { Action, Dialog } from './parts.js';
import { accountKey, useStore } from './store.js';
import { html, useState } from './vendor/preact.js';

/** Lists of statuses to start from. @type {[string, string][]} */
const EXAMPLES = [
  ['succeeds at the third attempt', '500, 500, 200'],
  ['fails all seven attempts', '500, 500, 500, 500, 500, 500, 500'],
  ['redirects once', '302'],
];

/** @param {{inbox?: import('./inbox.js').Inbox, onClose: () => void, onDone: (inbox: any) => void}} props */
export function InboxForm({ inbox, onClose, onDone }) {
  const accounts = useStore((all) => all.accounts);
  const [name, setName] = useState(inbox?.name ?? '');
  const [account, setAccount] = useState(inbox ? inbox.account ?? '' : accountKey() ?? '');
  const [statuses, setStatuses] = useState(inbox?.statuses.join(', ') ?? '');
  const [delayMs, setDelayMs] = useState(String(inbox?.delayMs ?? 0));
  const [secret, setSecret] = useState(inbox?.secret ?? '');
  const words = statuses.split(/[\s,]+/).filter(Boolean);
  const isWrong = words.some((word) => !/^[2-5]\d\d$/.test(word));
  const save = async () => {
    const body = { statuses: words.map(Number), delayMs: Number(delayMs) || 0, secret: secret || undefined, account: account || undefined };
    onDone(await call('PUT', `inbox/${encodeURIComponent(name.trim())}`, body));
  };
  const typed = (/** @type {(text: string) => void} */ set) => (/** @type {any} */ event) => set(event.target.value);
  const newest = [...accounts].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  return html`<${Dialog} title=${inbox ? `Answers of the inbox ${inbox.name}` : 'Set up an inbox'} onClose=${onClose}>
    ${!inbox && html`<label class="field">Name<input type="text" autofocus maxlength="200" value=${name} onInput=${typed(setName)} /></label>
    <label class="field">Account<select value=${account} onChange=${typed(setAccount)}><option value="">the one whose webhook posts to it first</option>
      ${newest.map(({ key }) => html`<option key=${key} value=${key}>${key}</option>`)}</select></label>`}
    <label class="field">Statuses<input type="text" placeholder="500, 500, 200" value=${statuses} onInput=${typed(setStatuses)} aria-invalid=${isWrong} />
      <span class="muted">
        ${isWrong ? 'Each is a number from 200 to 599.' : 'One for each message, in this order; then 200.'}</span></label>
    <div class="row wrap" role="group" aria-label="Examples">
      ${EXAMPLES.map(([label, value]) => html`
        <button key=${label} type="button" class="button small" onClick=${() => setStatuses(value)}>${label}</button>`)}</div>
    <label class="field">Delay in milliseconds<input type="number" min="0" max="600000" step="100" value=${delayMs} onInput=${typed(setDelayMs)} />
      <span class="muted">Of real time, before each answer. A webhook gives up after 5000.</span></label>
    <label class="field">Secret<input type="text" autocomplete="off" value=${secret} onInput=${typed(setSecret)} />
      <span class="muted">To check signatures with. Empty: the secrets of the webhooks whose URL is this inbox.</span></label>
    ${inbox && inbox.messages > 0 && html`<p class="problem">Setting it up empties the inbox: ${counted(inbox.messages, 'message')} will be removed.</p>`}
    <div class="row wrap">
      <${Action} class=${inbox?.messages ? 'danger' : 'primary'} label=${inbox?.messages ? 'Empty it and save' : 'Save'}
        isDisabled=${!name.trim() || isWrong} act=${save} />
      <button type="button" class="button" onClick=${onClose}>Cancel</button></div>
  <//>`;
}
