// Actions on orders: complete, fail and expire, each in a dialog that says what will happen; and sample orders.

import { CallError, ORIGIN, call } from './api.js';
import { FRESH_KEY } from './first-steps.js';
import { counted } from './format.js';
import { Copy, Dialog } from './parts.js';
import { controlCurl } from './snippets.js';
import { accountKey, state } from './store.js';
import { html, useState } from './vendor/preact.js';

/**
 * @typedef {{id: string, account: string, vendor: string, type: string, status: string, name: string, fileNames: string[], createdAt: string,
 *   updatedAt: string, expiresAt: string, processing: any, failure: {code: string, message: string} | null, api?: string | null}} Order
 * @typedef {'complete' | 'fail' | 'expire'} Verb
 * @typedef {[name: string, body: Record<string, unknown>]} Choice
 */

/** Names of order types for people. @type {Record<string, string>} */
export const TYPE_NAMES = {
  antiAi: 'Anti-AI',
  aiDetection: 'AI detection',
  watermarkEmbed: 'Watermark embed',
  watermarkExtract: 'Watermark extract',
  document: 'Document',
  bulk: 'Bulk',
};

/** Names of states for people, in the order of an order's life. @type {Record<string, string>} */
export const STATE_NAMES = { pending: 'pending', inProgress: 'in progress', complete: 'complete', failed: 'failed', expired: 'expired' };

/** State of an order for people; a held order says so. @param {{status: string, processing: any}} order */
export const stateLabel = ({ status, processing }) => (status === 'inProgress' && processing === 'hold' ? 'held' : STATE_NAMES[status]);

/** Value of a field that a person types in. */
const ASK = '?';
/** @type {Choice} */
const PROBABILITY = ['A probability…', { probability: ASK }];
/** @type {Choice[]} */
const RESULTS = ['AI Generated', 'Real', 'Digitally Edited', 'AI Edited', 'Grok', 'Gemini'].map((finalResult) => [finalResult, { finalResult }]);

/** Outcomes of a complete order beside the usual one, by its type. @type {Record<string, Choice[]>} */
const OUTCOMES = {
  aiDetection: [['AI, 0.98', { probability: 0.98 }], ['Uncertain, 0.5', { probability: 0.5 }], ['Real, 0.02', { probability: 0.02 }], PROBABILITY],
  watermarkExtract: [
    ['A watermark with the text…', { watermarkText: ASK }],
    ['No watermark', { watermarkText: null }],
    .../** @type {Choice[]} */ (['inconclusive', 'unsupported', 'error'].map((status) => [`${status} (v3 only)`, { detectionStatus: status }])),
  ],
  document: [...RESULTS, PROBABILITY, ['The usual result, its analysis fails', { analysis: 'failed' }]],
  bulk: [...RESULTS, PROBABILITY],
};

/** Returns the outcomes of a complete order, the usual one first. @param {Order} order @returns {Choice[]} */
const outcomesOf = ({ type, api }) =>
  [['As usual', {}], ...(OUTCOMES[type] ?? []).filter(([, body]) => api !== 'v2' || !body.detectionStatus)];

/** @param {string} prefix @param {string} codes */
const prefixed = (prefix, codes) => codes.split(' ').map((code) => prefix + code);

const WATERMARK_CODES = prefixed('WATERMARK_', 'ENGINE_UNAVAILABLE FILE_CORRUPTED FILE_FORMAT_UNSUPPORTED FILE_SIZE_UNSUPPORTED IMAGE_COLOR_MODE_UNSUPPORTED '
  + 'IMAGE_DIMENSIONS_UNSUPPORTED INPUT_UNSUPPORTED PDF_UNSUPPORTED V2_API_SUNSET');

/** Codes with which only such an order can fail, by its type. Documents and bulks fail without a code. @type {Record<string, string[]>} */
const FAILURE_CODES = {
  antiAi: [],
  aiDetection: prefixed('AI_DETECTION_', 'FAILED INVALID_IMAGE SERVICE_ERROR TIMEOUT'),
  watermarkEmbed: WATERMARK_CODES,
  watermarkExtract: WATERMARK_CODES,
};

/** `true` if the order can be completed or failed. @param {Order} order */
export const isOpen = (order) => order.status === 'pending' || order.status === 'inProgress';

/** Titles of the actions, and what they do. @type {Record<Verb, [name: string, text: string]>} */
const VERBS = {
  complete: ['Complete', 'is processed now, also if a rule holds it. Its webhooks are sent.'],
  fail: ['Fail', 'fails now. Its webhooks are sent.'],
  expire: ['Expire', 'reaches the end of its retention now. Its files and outputs are deleted and cannot be had back.'],
};

/** `true` if the action changes the order. @param {Verb} verb @param {Order} order */
const applies = (verb, order) => (verb === 'expire' ? order.status !== 'expired' : isOpen(order));

/** Returns the call of an action. @param {Verb} verb @param {Order} order @param {Record<string, string>} form @returns {[string, string, any?]} */
function callOf(verb, order, form) {
  const { errorCode, errorMessage } = form;
  const [, outcome] = outcomesOf(order)[Number(form[order.type] ?? 0)];
  const entries = verb === 'complete'
    ? Object.entries(outcome).map(([name, value]) => [name, value !== ASK ? value : name === 'probability' ? Number(form[name]) : form[name]])
    : Object.entries({ errorCode: FAILURE_CODES[order.type] && errorCode, errorMessage }).filter(([, value]) => verb === 'fail' && value);
  return ['POST', `orders/${encodeURIComponent(order.id)}/${verb}`, entries.length ? Object.fromEntries(entries) : undefined];
}

/** Fields of the outcome of one type of order. @param {{order: Order, form: Record<string, string>}} props */
function OutcomeFields({ order, form }) {
  const choices = outcomesOf(order);
  const [, body] = choices[Number(form[order.type] ?? 0)];
  return html`<label class="field">${TYPE_NAMES[order.type]}: outcome
    <select name=${order.type}>${choices.map(([name], index) => html`<option key=${index} value=${index}>${name}</option>`)}</select></label>
    ${body.probability === ASK && html`<label class="field">Probability of AI, 0 to 1
      <input type="number" name="probability" min="0" max="1" step="0.01" required value=${form.probability ?? ''} /></label>`}
    ${body.watermarkText === ASK && html`<label class="field">Text of the watermark
      <input type="text" name="watermarkText" required maxlength="1000" value=${form.watermarkText ?? ''} /></label>`}`;
}

/** Fields of a failure. @param {{types: string[]}} props */
const FailureFields = ({ types }) => html`${types.some((type) => FAILURE_CODES[type]) && html`<label class="field">Code
    <select name="errorCode"><option value="">The usual one</option>${[...new Set([...types.flatMap((type) => FAILURE_CODES[type] ?? []),
      'PROCESSING_ERROR', 'ORDER_TIMEOUT', 'UPLOAD_EXPIRED'])].map((code) => html`<option key=${code}>${code}</option>`)}</select></label>`}
  <label class="field">Message<input type="text" name="errorMessage" placeholder="The usual one" /></label>`;

/**
 * Dialog of an action on one order or on several.
 * @param {{verb: Verb, orders: Order[], onClose: () => void, onDone: (changed: Order[]) => void}} props
 */
function OrderDialog({ verb, orders, onClose, onDone }) {
  const [form, setForm] = useState(/** @type {Record<string, string>} */ ({}));
  const [left, setLeft] = useState(/** @type {number | null} */ (null));
  const [errors, setErrors] = useState(/** @type {any[]} */ ([]));
  // The orders change when the action does; what was chosen at the start stays.
  const [affected, setAffected] = useState(() => orders.filter((order) => applies(verb, order)));
  const examples = [...new Map(affected.map((order) => [order.type, order])).values()];
  const [name, text] = VERBS[verb];
  const title = `${name} ${affected.length === 1 ? `order ${affected[0].id}` : counted(affected.length, 'order')}`;
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const queue = [...affected];
    /** @type {Order[]} */
    const failed = [];
    /** @type {any[]} */
    const found = [];
    const work = async () => {
      for (let order; (order = queue.shift());) {
        setLeft(queue.length + 1);
        await call(...callOf(verb, order, form)).catch((error) => {
          failed.push(/** @type {Order} */ (order));
          found.push(error);
        });
      }
    };
    await Promise.all([work(), work(), work(), work()]);
    setLeft(null);
    if (!failed.length) return onDone(affected);
    setErrors(found);
    setAffected(failed);
  };
  return html`<${Dialog} title=${title} onClose=${onClose}><form class="dialog-form" onSubmit=${submit}
    onInput=${(/** @type {any} */ { target }) => setForm({ ...form, [target.name]: target.value })}>
    <p>${affected.length === 1 ? 'The order' : 'Each of them'} ${text}
      ${orders.length > affected.length + errors.length && html`<span class="muted"> Orders of the selection that have ended do not change.</span>`}</p>
    ${affected.length > 1 && html`<ul>${affected.slice(0, 8).map((order) => html`<li key=${order.id} class="clip">
      <b>${TYPE_NAMES[order.type]}</b> ${order.fileNames.join(', ')} <span class="muted">${order.id}</span></li>`)}
      ${affected.length > 8 && html`<li class="muted">and ${affected.length - 8} more</li>`}</ul>`}
    ${verb === 'complete' && examples.map((order) => html`<${OutcomeFields} key=${order.type} order=${order} form=${form} />`)}
    ${verb === 'fail' && html`<${FailureFields} types=${examples.map(({ type }) => type)} />`}
    ${errors.length > 0 && html`<div class="problem" role="alert"><b>${counted(errors.length, 'order')} did not change</b>
      <ul>${errors.slice(0, 5).map(({ message, hint }, index) => html`<li key=${index}>${message} ${hint}</li>`)}</ul></div>`}
    <div class="row wrap"><button class="button ${verb === 'complete' ? 'primary' : 'danger'}" disabled=${left !== null}>${left === null ? name : `${left} left`}</button>
      <button type="button" class="button" onClick=${onClose}>Cancel</button><span class="spacer"></span>
      <${Copy} label="curl" text=${() => affected.map((order) => controlCurl(...callOf(verb, order, form))).join('\n')} /></div>
  </form><//>`;
}

/** Buttons of the actions that change one of the orders. @param {{orders: Order[], onDone?: (changed: Order[]) => void}} props */
export function OrderActions({ orders, onDone }) {
  // The dialog keeps its orders, also if they leave the list because their states change.
  const [action, setAction] = useState(/** @type {{verb: Verb, orders: Order[]} | null} */ (null));
  const verbs = /** @type {Verb[]} */ (Object.keys(VERBS)).filter((verb) => orders.some((order) => applies(verb, order)));
  const done = (/** @type {Order[]} */ changed) => {
    setAction(null);
    onDone?.(changed);
  };
  return html`${verbs.map((verb) => html`<button key=${verb} type="button" class="button small" onClick=${() => setAction({ verb, orders })}>
    ${VERBS[verb][0]}…</button>`)}${action && html`<${OrderDialog} ...${action} onClose=${() => setAction(null)} onDone=${done} />`}`;
}

/** Draws a landscape, and returns it as a JPEG. @returns {Promise<Blob>} */
function drawPicture() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 420 });
  const paint = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const hue = Math.random() * 360;
  const fill = (/** @type {number} */ turn, /** @type {string} */ rest, /** @type {() => void} */ draw) => {
    paint.fillStyle = `hsl(${hue + turn} ${rest})`;
    paint.beginPath();
    draw();
    paint.fill();
  };
  for (let y = 0; y < 420; y += 2) fill(y / 10, `60% ${32 + y / 9}%`, () => paint.rect(0, y, 640, 2));
  fill(50, '90% 88%', () => paint.arc(140 + hue, 140, 38, 0, 7));
  for (let layer = 0; layer < 4; layer++) {
    fill(160, `30% ${46 - layer * 11}%`, () => {
      paint.moveTo(640, 420);
      paint.lineTo(0, 420);
      for (let x = 0; x <= 640; x += 4) paint.lineTo(x, 210 + layer * 50 - Math.sin(x / (70 + layer * 26) + hue * layer) * 26 - Math.sin(x / 23 + hue) * 7);
    });
  }
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(/** @type {Blob} */ (blob)), 'image/jpeg'));
}

/**
 * Calls a route of a vendor on this origin, and returns the JSON. Presigned URLs of another origin are called here too:
 * their signature does not depend on the host.
 * @param {string} method @param {string} target @param {Record<string, string>} headers @param {BodyInit} [body]
 */
async function request(method, target, headers, body) {
  const { pathname, search } = new URL(target, ORIGIN);
  const response = await fetch(pathname + search, { method, headers, body, cache: 'no-store' });
  const text = await response.text();
  if (response.ok) return text && JSON.parse(text);
  throw new CallError(response.status, '', `${method} ${pathname} answered ${response.status}`, response.headers.get('X-Mock-Reason') ?? text.slice(0, 300));
}

/** @param {string} target @param {Record<string, unknown>} body @param {Record<string, string>} [headers] */
const post = (target, body, headers) => request('POST', target, { 'Content-Type': 'application/json', ...headers }, JSON.stringify(body));

/** @param {string} url @param {Record<string, string>} [headers] */
const upload = async (url, headers) => request('PUT', url, { 'Content-Type': 'image/jpeg', ...headers }, await drawPicture());

/** Returns a function that makes an order of BIZ MORI. @param {string} path @param {Record<string, unknown>} body */
const bizmori = (path, body) => async (/** @type {string} */ key) => {
  const send = async (/** @type {string} */ route, /** @type {any} */ rest) =>
    (await post(`/api/${route}`, { idempotencyKey: `${Math.random()}`, ...rest }, { Authorization: `Bearer ${key}` })).data;
  const { orderId, file, files } = await send(path, body);
  await upload((file ?? files[0]).uploadUrl);
  if (path.startsWith('v2')) await send(`${path}/confirm`, { orderId });
  return orderId;
};

/** Samples: the name, and a function that makes an order for an account and returns its id. @type {[string, (key: string) => Promise<string>][]} */
export const SAMPLES = [
  ['BIZ MORI: AI detection with a heatmap', bizmori('v2/orders/ai-detection',
    { fileName: 'landscape_ai.jpg', options: { generateHeatmap: true, generateOverlay: true, generateThumbnail: true } })],
  ['BIZ MORI: Anti-AI, before and after', bizmori('v2/orders/anti-ai', { files: [{ fileName: 'landscape.jpg' }] })],
  ['BIZ MORI: watermark', bizmori('v3/orders/wtr-embed', { files: [{ fileName: 'landscape.jpg', watermarks: [{ text: 'made at the dashboard' }] }] })],
  ['Undetectable AI: document with a heatmap', async (key) => {
    const slot = await request('GET', '/get-presigned-url?file_name=landscape_ai.jpg', { apikey: key });
    await upload(slot.presigned_url, { 'x-amz-acl': 'private' });
    return (await post('/detect', { key, url: slot.file_path, generate_preview: true, generate_heatmap: true })).id;
  }],
];

/** Makes a sample order for the selected account, or for a fresh one, and returns its id. @param {(key: string) => Promise<string>} make */
export async function makeSample(make) {
  const key = accountKey() ?? FRESH_KEY;
  // A strict server knows no account that was not set up.
  if (!state.accounts.some((account) => account.key === key)) await call('PUT', `accounts/${encodeURIComponent(key)}`, {});
  return make(key);
}
