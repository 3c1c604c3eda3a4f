// Actions on orders: complete, fail and expire. Each asks in a dialog that says what will happen.

import { call } from './api.js';
import { counted } from './format.js';
import { failureCodes, outcomeChoices, TYPE_NAMES } from './outcomes.js';
import { Copy, Dialog } from './parts.js';
import { controlCurl } from './snippets.js';
import { html, useState } from './vendor/preact.js';

/**
 * @typedef {{id: string, account: string, vendor: string, type: string, status: string, name: string, fileNames: string[], createdAt: string,
 *   updatedAt: string, expiresAt: string, processing: any, failure: {code: string, message: string} | null, api?: string | null}} Order
 * @typedef {'complete' | 'fail' | 'expire'} Verb
 */

/** Calls that are in flight at once. */
const CALLS_MAX = 4;

/** `true` if the order can be completed or failed. @param {Order} order */
export const isOpen = (order) => order.status === 'pending' || order.status === 'inProgress';

/** `true` if the action changes the order. @param {Verb} verb @param {Order} order */
const applies = (verb, order) => (verb === 'expire' ? order.status !== 'expired' : isOpen(order));

/** @param {Verb} verb @param {Order} order @param {unknown} body */
const callOf = (verb, order, body) => /** @type {const} */ (['POST', `orders/${encodeURIComponent(order.id)}/${verb}`, body]);

/** Titles of the dialogs, and what the actions do. @type {Record<Verb, {name: string, text: string, danger: boolean}>} */
const VERBS = {
  complete: { name: 'Complete', text: 'is processed now, without waiting, also if a rule holds it. Its webhooks are sent.', danger: false },
  fail: { name: 'Fail', text: 'fails now, also if it waits for an upload. Its webhooks are sent.', danger: true },
  expire: { name: 'Expire', text: 'reaches the end of its retention now. Its files and outputs are deleted and cannot be had back.', danger: true },
};

/** Choice of an outcome for one type of order. @param {{type: string, api?: string | null, value: any, onChange: (value: any) => void}} props */
function OutcomeField({ type, api, value, onChange }) {
  const choices = outcomeChoices(type, api);
  const choice = choices.find(({ id }) => id === value.id) ?? choices[0];
  const set = (/** @type {string} */ name) => (/** @type {any} */ event) => onChange({ ...value, [name]: event.target.value });
  if (choices.length === 1) return html`<p class="muted">${TYPE_NAMES[type] ?? type}: the outputs are made as usual.</p>`;
  return html`<div class="outcome-field"><label class="field">${TYPE_NAMES[type] ?? type}: outcome
      <select value=${choice.id} onChange=${set('id')}>${choices.map(({ id, name, isV3 }) => html`<option key=${id}
        value=${id}>${name}${isV3 && api === undefined ? ' (v3 only)' : ''}</option>`)}</select>
      ${choice.hint && html`<span class="muted">${choice.hint}</span>`}</label>
    ${choice.needs === 'probability' && html`<label class="field">Probability of AI, 0 to 1
      <input type="number" min="0" max="1" step="0.01" required value=${value.probability} onInput=${set('probability')} /></label>`}
    ${choice.needs === 'text' && html`<label class="field">Text of the watermark<input type="text" required maxlength="1000" value=${value.text}
      onInput=${set('text')} /></label>`}
  </div>`;
}

/** Choice of a failure. @param {{types: string[], value: any, onChange: (value: any) => void}} props */
function FailureField({ types, value, onChange }) {
  const codes = [...new Set(types.flatMap(failureCodes))];
  const hasNone = types.some((type) => failureCodes(type).length === 0);
  const set = (/** @type {string} */ name) => (/** @type {any} */ event) => onChange({ ...value, [name]: event.target.value });
  return html`${codes.length > 0 && html`<label class="field">Code
      <select value=${value.errorCode} onChange=${set('errorCode')}>
        <option value="">The usual one</option>${codes.map((code) => html`<option key=${code}>${code}</option>`)}</select>
      ${hasNone && html`<span class="muted">Documents and bulks fail without a code.</span>`}</label>`}
    <label class="field">Message<input type="text" value=${value.errorMessage} placeholder="The usual one" onInput=${set('errorMessage')} /></label>`;
}

/** Returns the body of the call. @param {Verb} verb @param {Order} order @param {Record<string, any>} outcomes @param {any} failure */
function bodyOf(verb, order, outcomes, failure) {
  if (verb === 'expire') return undefined;
  if (verb === 'complete') {
    const value = outcomes[order.type] ?? FRESH;
    const body = (outcomeChoices(order.type, order.api).find(({ id }) => id === value.id) ?? outcomeChoices(order.type)[0]).body(value);
    return Object.keys(body).length ? body : undefined;
  }
  const code = failureCodes(order.type).length ? failure.errorCode : '';
  const body = { ...(code && { errorCode: code }), ...(failure.errorMessage && { errorMessage: failure.errorMessage }) };
  return Object.keys(body).length ? body : undefined;
}

const FRESH = { id: 'usual', probability: '0.62', text: 'MORI TEST WATERMARK' };

/**
 * Runs the calls, a few at a time, and returns the failures.
 * @param {Order[]} orders @param {(order: Order) => Promise<any>} act @param {(done: number) => void} onProgress
 */
async function runAll(orders, act, onProgress) {
  /** @type {{order: Order, error: any}[]} */
  const failures = [];
  const queue = [...orders];
  let done = 0;
  const work = async () => {
    for (let order = queue.shift(); order; order = queue.shift()) {
      try {
        await act(order);
      } catch (error) {
        failures.push({ order, error });
      }
      onProgress(++done);
    }
  };
  await Promise.all(Array.from({ length: CALLS_MAX }, work));
  return failures;
}

/**
 * Dialog of an action on one order or on several.
 * @param {{verb: Verb, orders: Order[], onClose: () => void, onDone: (changed: Order[]) => void}} props
 */
export function OrderDialog({ verb, orders, onClose, onDone }) {
  const [outcomes, setOutcomes] = useState(/** @type {Record<string, any>} */ ({}));
  const [failure, setFailure] = useState({ errorCode: '', errorMessage: '' });
  const [progress, setProgress] = useState(/** @type {number | null} */ (null));
  const [failures, setFailures] = useState(/** @type {{order: Order, error: any}[]} */ ([]));
  // The orders change when the action does; what was chosen at the start stays.
  const [affected, setAffected] = useState(() => orders.filter((order) => applies(verb, order)));
  const types = [...new Set(affected.map(({ type }) => type))];
  const { name, text, danger } = VERBS[verb];
  const isOne = affected.length === 1;
  const ended = orders.length - affected.length;
  const body = (/** @type {Order} */ order) => bodyOf(verb, order, outcomes, failure);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setProgress(0);
    const failed = await runAll(affected, (order) => call(...callOf(verb, order, body(order))), setProgress);
    setProgress(null);
    if (failed.length === 0) return onDone(affected);
    setFailures(failed);
    setAffected(failed.map(({ order }) => order));
  };
  const title = isOne ? `${name} order ${affected[0].id}` : `${name} ${counted(affected.length, 'order')}`;
  const commands = () => affected.map((order) => controlCurl(...callOf(verb, order, body(order)))).join('\n');
  return html`<${Dialog} title=${title} onClose=${onClose}><form class="order-form" onSubmit=${submit}>
    ${affected.length > 0 && html`<p>${isOne ? 'The order' : 'Each of them'} ${text}</p>`}
    ${ended > 0 && html`<p class="muted">${counted(ended, 'order')} of the selection ${ended === 1 ? 'has' : 'have'} ended and will not change.</p>`}
    ${!isOne && html`<${Names} orders=${affected} />`}
    ${verb === 'complete' && types.map((type) => html`<${OutcomeField} key=${type} type=${type} api=${isOne ? affected[0].api : undefined}
      value=${outcomes[type] ?? FRESH}
      onChange=${(/** @type {any} */ value) => setOutcomes({ ...outcomes, [type]: value })} />`)}
    ${verb === 'fail' && html`<${FailureField} types=${types} value=${failure} onChange=${setFailure} />`}
    ${failures.length > 0 && html`<${Failures} failures=${failures} />`}
    <div class="row wrap"><button class="button ${danger ? 'danger' : 'primary'}"
      disabled=${progress !== null || affected.length === 0}>${progress === null ? name : `${progress} of ${affected.length}`}</button>
      <button type="button" class="button" onClick=${onClose}>Cancel</button><span class="spacer"></span>
      ${affected.length > 0 && html`<${Copy} label=${isOne ? 'curl' : 'as curl'} text=${commands} />`}</div>
  </form><//>`;
}

/** @param {{orders: Order[]}} props */
const Names = ({ orders }) => html`<ul class="order-names">${orders.slice(0, 8).map((order) => html`<li key=${order.id} class="clip">
  <b>${TYPE_NAMES[order.type] ?? order.type}</b> ${order.fileNames.join(', ')} <span class="muted">${order.id}</span></li>`)}
  ${orders.length > 8 && html`<li class="muted">and ${orders.length - 8} more</li>`}</ul>`;

/** @param {{failures: {order: Order, error: any}[]}} props */
const Failures = ({ failures }) => html`<div class="problem" role="alert"><b>${counted(failures.length, 'order')} did not change</b>
  <ul>${failures.slice(0, 5).map(({ order, error }) => html`<li key=${order.id}>${error.message}${error.hint ? `: ${error.hint}` : ''}</li>`)}</ul></div>`;
