// Form for the settings of an account.

import { call } from './api.js';
import { Action, Copy } from './parts.js';
import { controlCurl } from './snippets.js';
import { html, useEffect, useState } from './vendor/preact.js';

/** @typedef {import('./store.js').Account} Account */

/** Settings of an account as `PUT /_mock/accounts/{key}` takes them. @param {any} account */
export function settingsOf({ plan, requestsPerMinute, credits, retentionDays, state, revision, processing }) {
  return { plan, requestsPerMinute, credits, retentionDays, state, revision, processing };
}

const DEFAULTS = { plan: 'unlimited', requestsPerMinute: null, credits: null, retentionDays: null, state: 'active', revision: null, processing: null };

/** @type {Record<string, string>} */
const PLANS = {
  unlimited: 'unlimited',
  free: 'free: 60 requests a minute',
  pro: 'pro: 300 requests a minute',
  enterprise: 'enterprise: 1,000 requests a minute',
};
/** @type {Record<string, string>} */
const STATES = {
  active: 'active',
  expired: 'expired: every call is refused',
  forbidden: 'forbidden: every call is refused',
  unknown: 'unknown: as if the key did not exist',
};
/** @type {Record<string, string>} */
const REVISIONS = { '': 'as the server is set', '2026-03': '2026-03', '2026-10': '2026-10' };

/** @param {{label: string, value: string, options: Record<string, string>, set: (value: string) => void}} props */
const Choice = ({ label, value, options, set }) => html`<label class="field"><span>${label}</span><select value=${value}
  onChange=${(/** @type {any} */ event) => set(event.target.value)}>
  ${Object.entries(options).map(([id, name]) => html`<option key=${id} value=${id}>${name}</option>`)}</select></label>`;

/** @param {{label: string, value: number | null | undefined, placeholder: string, set: (value: number | null) => void}} props */
const Amount = ({ label, value, placeholder, set }) => html`<label class="field"><span>${label}</span><input type="number" min="0" value=${value ?? ''}
  placeholder=${placeholder}
  onInput=${(/** @type {any} */ event) => set(event.target.value === '' ? null : Number(event.target.value))} /></label>`;

/** @param {{account: Account}} props */
export function AccountForm({ account }) {
  const stored = settingsOf(account);
  const text = JSON.stringify(stored);
  const [base, setBase] = useState(text);
  const [draft, setDraft] = useState(/** @type {any} */ (stored));
  const isChanged = JSON.stringify(draft) !== base;
  // A change from elsewhere is shown, unless it would overwrite what is being typed.
  useEffect(() => {
    if (text !== base && !isChanged) setDraft(stored);
    setBase(text);
  }, [text]);
  const set = (/** @type {string} */ name) => (/** @type {any} */ value) => setDraft((/** @type {any} */ last) => ({ ...last, [name]: value }));
  const setProcessing = (/** @type {string} */ name) => (/** @type {number | null} */ value) => setDraft((/** @type {any} */ last) => {
    const times = { delayMs: 0, jitterMs: 0, ...last.processing, [name]: value ?? 0 };
    const isDefault = value === null && (name === 'delayMs' || !times.delayMs);
    return { ...last, processing: isDefault ? null : times };
  });
  const path = `accounts/${encodeURIComponent(account.key)}`;
  const save = async () => setBase(JSON.stringify(settingsOf(await call('PUT', path, draft).then((saved) => { setDraft(settingsOf(saved)); return saved; }))));
  return html`<section class="card"><header><h3>Settings of the account</h3><${Copy} label="curl" text=${() => controlCurl('PUT', path, draft)} /></header>
    <${Choice} label="Plan" value=${draft.plan} options=${PLANS} set=${set('plan')} />
    <div class="fields"><${Amount} label="Requests a minute" value=${draft.requestsPerMinute} placeholder="by the plan" set=${set('requestsPerMinute')} />
      <${Amount} label="Credits" value=${draft.credits} placeholder="unlimited" set=${set('credits')} />
      <${Amount} label="Retention, days" value=${draft.retentionDays} placeholder="as the server is set" set=${set('retentionDays')} /></div>
    <${Choice} label="State" value=${draft.state} options=${STATES} set=${set('state')} />
    <${Choice} label="Revision of BIZ MORI's API" value=${draft.revision ?? ''} options=${REVISIONS}
      set=${(/** @type {string} */ value) => set('revision')(value || null)} />
    <div class="fields"><${Amount} label="Processing, ms" value=${draft.processing?.delayMs} placeholder="as the server is set"
      set=${setProcessing('delayMs')} />
      <${Amount} label="Jitter, ms" value=${draft.processing?.jitterMs} placeholder="0" set=${setProcessing('jitterMs')} /></div>
    <div class="row wrap"><${Action} class="primary" label="Save" isDisabled=${!isChanged} act=${save} />
      ${isChanged && html`<button type="button" class="button" onClick=${() => setDraft(stored)}>Discard</button>`}
      <span class="spacer"></span><button type="button" class="button quiet" onClick=${() => setDraft(DEFAULTS)}>Defaults</button></div>
  </section>`;
}
