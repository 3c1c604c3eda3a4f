// A rule: its effects and conditions as data, which make its words, its form and its JSON; and its editor.

import { call, get } from './api.js';
import { duration } from './format.js';
import { Field, Problem } from './parts.js';
import { link } from './router.js';
import { accountKey, keyOf, useFetched, useStore } from './store.js';
import { html, useEffect, useRef, useState } from './vendor/preact.js';

/**
 * @typedef {{operation?: string, method?: string, path?: string, fileName?: string, webhookUrl?: string}} RuleWhen
 * @typedef {{name?: string | null, account?: string | null, enabled?: boolean, when?: RuleWhen, skip?: number,
 *   times?: number | null, probability?: number, then: any}} Rule
 * @typedef {{at: string, account: string | null, operation: string, seq: number | null, orderId: string | null, applied: boolean}} RuleMatch
 * @typedef {Rule & {id: number, hits: number, lastMatches: RuleMatch[]}} StoredRule
 * @typedef {{label: string, empty?: any, [attribute: string]: any}} RuleField Control of a value. `empty` is the value of an empty control.
 * @typedef {{about: 'requests' | 'orders' | 'webhooks', at: string, name: string, start: any, say: (value: any, then: any) => string,
 *   fields: Record<string, RuleField>}} Effect Effect at a path of `then`, what it starts with, and the fields by their paths.
 */

/** @param {any} value @param {string} path */
const getIn = (value, path) => path.split('.').reduce((inner, name) => inner?.[name], value);

/** Returns a copy with the value at the path; undefined removes it. @param {any} value @param {string} path @param {any} inner @returns {any} */
function setIn(value, path, inner) {
  const [name, ...rest] = path.split('.');
  return { ...value, [name]: rest.length ? setIn(value?.[name], rest.join('.'), inner) : inner };
}

/** @param {string} label @param {object} [more] @returns {RuleField} */
const number = (label, more) => ({ label, type: 'number', ...more });
/** @param {string[]} names */
const options = (...names) => Object.fromEntries(names.map((name) => [name, name]));

const PROBABILITY = number('Probability', { max: 1, step: 'any', placeholder: 'by the result' });
/** Faults with their effect. @type {Record<string, string>} */
const FAULTS = {
  reset: 'reset the connection',
  empty: 'close without a byte',
  truncate: 'cut the response in half',
  garbage: 'send bytes that are not HTTP',
  drip: 'send the response slowly',
};

/** Effects of rules. The first that a rule has is the one that the form shows. @type {Effect[]} */
const EFFECTS = [
  { about: 'requests', at: 'respond', name: 'Answer in place of the handler', start: { status: 503 }, say: ({ status }) => `answer ${status}`, fields: {
    'respond.status': number('Status', { min: 200, max: 599 }),
    'respond.headers': { label: 'Headers', type: 'json', placeholder: '{"Retry-After": 3}' },
    'respond.body': { label: 'Body', type: 'json', rows: 4, placeholder: '{"code": "SERVICE_UNAVAILABLE"}' },
  } },
  { about: 'requests', at: 'fault', name: 'Break the response', start: 'reset', say: (fault) => FAULTS[fault] ?? fault, fields: {
    fault: { label: 'Fault', options: FAULTS, note: 'The request is handled as always' },
    bytesPerSecond: number('Bytes a second', { min: 1, placeholder: '1024', note: 'For the slow response' }),
  } },
  { about: 'orders', at: 'outcome.status', name: 'fails', start: 'failed', say: (_, { outcome }) => ['fail', outcome.errorCode].filter(Boolean).join(' with '),
    fields: {
      'outcome.errorCode': { label: 'Error code', placeholder: 'AI_DETECTION_TIMEOUT', note: 'BIZ MORI only' },
      'outcome.errorMessage': { label: 'Error message' },
    } },
  { about: 'orders', at: 'outcome.finalResult', name: 'final result (Undetectable)', start: 'AI Edited', say: (result) => `result ${result}`, fields: {
    'outcome.finalResult': { label: 'Final result', hints: ['AI Generated', 'Real', 'Digitally Edited', 'AI Edited', 'Grok'] },
    'outcome.probability': PROBABILITY,
  } },
  { about: 'orders', at: 'outcome.probability', name: 'probability (detection)', start: 0.62, say: (value) => `probability ${value}`,
    fields: { 'outcome.probability': PROBABILITY } },
  { about: 'orders', at: 'outcome.watermarkText', name: 'watermark (extraction)', start: 'FOUND BY RULE',
    say: (text) => (text === null ? 'find no watermark' : `find watermark “${text}”`),
    fields: { 'outcome.watermarkText': { label: 'Text of the watermark', empty: null, placeholder: 'no watermark' } } },
  { about: 'orders', at: 'outcome.detectionStatus', name: 'no result (extraction, v3)', start: 'inconclusive', say: (status) => `detection ${status}`,
    fields: { 'outcome.detectionStatus': { label: 'Status', options: options('inconclusive', 'unsupported', 'error') } } },
  { about: 'orders', at: 'outcome.analysis', name: 'the analysis fails (Undetectable)', start: 'failed', say: () => 'fail the analysis', fields: {} },
  { about: 'orders', at: 'processing.ms', name: 'done after a time', start: 60000, say: (ms) => `process for ${duration(ms)}`,
    fields: { 'processing.ms': number("Milliseconds of the account's clock") } },
  { about: 'orders', at: 'processing.polls', name: 'done after a number of reads', start: 3, say: (polls) => `done after ${polls} reads`,
    fields: { 'processing.polls': number('Reads that show it in progress', { min: 1, max: 1000 }) } },
  { about: 'orders', at: 'processing', name: 'held until it is completed or failed', start: 'hold', say: () => 'hold until released', fields: {} },
  { about: 'webhooks', at: 'webhook', name: 'Webhook', start: { duplicate: 2 }, say: webhookText, fields: {
    'webhook.duplicate': number('Send it, times', { min: 2, max: 10, placeholder: '1' }),
    'webhook.delayMs': number('Later, ms', { placeholder: '0' }),
    'webhook.signature': { label: 'Signature', options: { '': 'valid', ...options('wrong', 'missing') } },
    'webhook.outOfOrder': { label: 'Send it after the next one', type: 'checkbox' },
    'webhook.drop': { label: 'Do not send it at all (excludes the others)', type: 'checkbox' },
  } },
  { about: 'requests', at: 'delayMs', name: 'Delay', start: 2000, say: (ms) => `wait ${duration(ms)}`,
    fields: { delayMs: number('Milliseconds of real time', { max: 600000 }) } },
];

/** @param {any} webhook */
function webhookText({ drop, duplicate, delayMs, signature, outOfOrder }) {
  const sent = [
    duplicate && `${duplicate} times`, delayMs && `${duration(delayMs)} later`, outOfOrder && 'after the next one', signature && `with ${signature} signature`,
  ];
  return drop ? 'drop the webhook' : `send the webhook ${sent.filter(Boolean).join(', ')}`;
}

/** `true` if `then` has the effect. @param {any} then @returns {(effect: Effect) => boolean} */
const has = (then) => ({ at, start }) => getIn(then, at) === null || typeof getIn(then, at) === typeof start;

/** Returns the first effect. @param {any} then */
const effectOf = (then) => EFFECTS.find(has(then));

/** Calls of the server itself, which no recorded request matches. */
const OUTBOUND = ['webhook.deliver', 'zeroCopy.put', 'file.fetch'];

/** `true` if the rule acts on calls that the server makes. @param {Rule} rule */
export const isOutbound = ({ when = {}, then }) => 'webhook' in then || 'webhookUrl' in when || OUTBOUND.includes(when.operation ?? '');

/** Names of the conditions that fit an effect and an operation. @param {string} about @param {string} [operation] */
function conditionsOf(about, operation = '') {
  if (about === 'webhooks' || operation === 'webhook.deliver') return ['operation', 'webhookUrl'];
  return about === 'orders' || OUTBOUND.includes(operation) ? ['operation', 'fileName'] : ['operation', 'method', 'path'];
}

/** Fields of conditions by their names. @type {Record<string, RuleField>} */
const CONDITIONS = {
  operation: { label: 'Operation' },
  method: { label: 'Method', placeholder: 'any', hints: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] },
  path: { label: 'Path', placeholder: '/api/v2/orders/*' },
  fileName: { label: 'File name', placeholder: 'photo*.jpg' },
  webhookUrl: { label: 'URL of the webhook', placeholder: 'http://*/hook' },
};

/** Fields that say which of the matches a rule applies to. @type {Record<string, RuleField>} */
const MATCHES = {
  skip: number('Skip the first', { placeholder: '0' }),
  times: number('Then apply, times', { min: 1, placeholder: 'no limit' }),
  probability: { ...PROBABILITY, placeholder: '1' },
};

/**
 * Returns the rule with another effect, and without the conditions that it cannot have.
 * @param {Rule} rule @param {Effect} effect @param {string} [fileName]
 */
function withEffect(rule, { about, at, start }, fileName) {
  const { operation = '', ...rest } = rule.when ?? {};
  const isKept = OUTBOUND.includes(operation) ? about === 'requests' || (about === 'webhooks' && operation === 'webhook.deliver') : about !== 'webhooks';
  const named = isKept ? operation : '';
  const all = /** @type {Record<string, any>} */ ({ fileName, ...rest, operation: named });
  return toRequest({ ...rule, when: Object.fromEntries(conditionsOf(about, named).map((name) => [name, all[name]])), then: setIn({}, at, start) });
}

/** Returns the rule as a request has it, without fields that have their defaults. @param {Partial<StoredRule>} rule @returns {Rule} */
export function toRequest({ name, account, enabled, when, skip, times, probability, then = {} }) {
  const conditions = Object.entries(when ?? {}).filter(([, value]) => value);
  return JSON.parse(JSON.stringify({
    name: name || undefined,
    account: account || undefined,
    enabled: enabled === false ? false : undefined,
    when: conditions.length ? Object.fromEntries(conditions) : undefined,
    skip: skip || undefined,
    times: times ?? undefined,
    probability: probability === 1 ? undefined : probability,
    then,
  }));
}

/** Text that names a rule. @param {StoredRule} rule */
export const nameOf = (rule) => rule.name ?? `rule ${rule.id}`;

/** Returns the condition in words. @param {Rule} rule */
export function whenText(rule) {
  const { operation, method, path, fileName, webhookUrl } = rule.when ?? {};
  const every = isOutbound(rule) ? 'every webhook attempt' : effectOf(rule.then)?.about === 'orders' ? 'every order' : 'every request';
  const target = [method, path].filter(Boolean).join(' ');
  return [operation !== '*' && operation, target, fileName && `file ${fileName}`, webhookUrl && `to ${webhookUrl}`].filter(Boolean).join(', ') || every;
}

/** Returns which of the matches the rule applies to, in words. An empty string stands for all. @param {Rule} rule */
export function whichText({ skip, times, probability = 1 }) {
  const many = times === 1 ? 'once' : times && `${times} times`;
  const part = probability < 1 && `${Math.round(probability * 1000) / 10} % of the matches`;
  return [many, skip && `after the first ${skip === 1 ? 'match' : `${skip} matches`}`, part].filter(Boolean).join(', ');
}

/** Returns the effects in words. @param {any} then */
export function thenText(then) {
  const texts = EFFECTS.filter(has(then)).map(({ at, say }) => say(getIn(then, at), then));
  return texts.join(', ') || 'nothing yet';
}

/**
 * @typedef {{rule: Rule, change: (rule: Rule) => void, refused: string, fileName?: string, isStored: boolean}} Form
 */

/** Returns the first file name in a request's body or query. @param {any} value @returns {string | undefined} */
function findFileName(value) {
  let found;
  JSON.stringify(value, (name, inner) => {
    if (/^file_?name$/i.test(name) && typeof inner === 'string') found ??= inner;
    return inner;
  });
  return found;
}

/** Returns the proposal for a rule about a request like this one. @param {any} exchange @returns {{rule: Rule, fileName?: string}} */
function fromRequest({ account, operation, method, path, query, requestBody }) {
  const when = /^(bizmori|undetectable|storage)\./.test(operation) ? { operation } : { method, path };
  return { rule: newRule(account, when), fileName: findFileName([requestBody, Object.fromEntries(new URLSearchParams(query ?? ''))]) };
}

/** @param {string | null} account @param {RuleWhen} [when] @returns {Rule} */
const newRule = (account, when) => toRequest({ account, when, times: 1, then: { respond: { status: 503 } } });

/** Returns the proposal for a rule that decides about the next order with the same file name. @param {any} order */
function fromOrder({ account, vendor, type, files, fileNames }) {
  const fileName = files?.[0]?.name ?? fileNames?.[0];
  const outcome = vendor === 'undetectable' ? { finalResult: 'AI Edited' }
    : /extract/i.test(type) ? { watermarkText: 'FOUND BY RULE' } : /detect/i.test(type) ? { probability: 0.62 } : { status: 'failed' };
  return { rule: toRequest({ account, when: { fileName }, then: { outcome } }), fileName };
}

/** Reads the request or the order that a rule is made from: `HASH/SEQ` or `order:ID`. @param {string} from */
async function readProposal(from) {
  if (from.startsWith('order:')) return fromOrder(await get(`orders/${encodeURIComponent(from.slice('order:'.length))}`));
  const [hash, seq = ''] = from.split('/');
  return fromRequest(await get(`requests/${encodeURIComponent(keyOf(hash) ?? hash)}/${encodeURIComponent(seq)}`));
}

/** @param {string} text @returns {{rule: Rule, fileName?: string} | undefined} */
function parseRule(text) {
  try {
    return { rule: toRequest(JSON.parse(text)) };
  } catch {
    return undefined;
  }
}

/**
 * Editor of a rule that does not exist yet, with a proposal if the route names what the rule is made from.
 * @param {{route: import('./router.js').Route, onSaved: (rule: StoredRule) => void}} props
 */
export function NewRule({ route, onSaved }) {
  const { from = '', rule: text = '' } = route.query;
  const isReady = useStore((all) => all.accounts.length > 0 || all.live !== 'connecting');
  const { data, error } = useFetched(from && isReady ? from : null, [], readProposal);
  if (from && !data && !error) return html`<p class="muted pad">Reading…</p>`;
  const { rule, fileName } = data ?? parseRule(text) ?? { rule: newRule(accountKey()) };
  return html`<${RuleEditor} key=${from} title="New rule" start=${rule} fileName=${fileName} notice=${error} onSaved=${onSaved} />`;
}

/** @param {{stored: StoredRule, onSaved: (rule: StoredRule) => void}} props */
export const EditRule = ({ stored, onSaved }) => html`<${RuleEditor} title=${`Edit ${nameOf(stored)}`} start=${toRequest(stored)} id=${stored.id}
  onSaved=${onSaved} />`;

/**
 * Field at a path of the rule. The field that the server's refusal names is invalid.
 * @param {{form: Form, path: string, field: RuleField}} props
 */
function PathField({ form: { rule, change, refused }, path, field: { empty, ...attributes } }) {
  const isRefused = refused === path || refused.startsWith(`${path}.`);
  return html`<${attributes.type === 'json' ? JsonField : Field} ...${attributes} value=${getIn(rule, path)} aria-invalid=${isRefused ? 'true' : null}
    aria-describedby=${isRefused ? 'refusal' : null} set=${(/** @type {any} */ value) => change(setIn(rule, path, value ?? empty))} />`;
}

/** Field for JSON, or for a text. The typed text stays as it is while it stands for the value. @param {any} props */
function JsonField({ value, set, ...attributes }) {
  const [typed, setTyped] = useState({ text: '', value: undefined });
  const isTyped = JSON.stringify(typed.value) === JSON.stringify(value);
  const change = (/** @type {string | undefined} */ text = '') => {
    /** @type {any} */
    let parsed = text || undefined;
    try {
      parsed = JSON.parse(text);
    } catch {
      // Not JSON: the text itself is the value.
    }
    setTyped({ text, value: parsed });
    set(parsed);
  };
  return html`<${Field} ...${attributes} type="textarea" set=${change}
    value=${isTyped ? typed.text : typeof value === 'string' ? value : JSON.stringify(value)} />`;
}

/** @param {{form: Form, fields: Record<string, RuleField>, at?: string}} props */
const RuleFields = ({ form, fields, at = '' }) => html`<div class="fields">${Object.entries(fields).map(([name, field]) => html`<${PathField}
  key=${name} form=${form} path=${at + name} field=${field} />`)}</div>`;

/** Form for the common parts of a rule. The rule itself is JSON; the form reads and changes it. @param {{form: Form}} props */
function RuleForm({ form }) {
  const { rule, change, fileName, isStored } = form;
  const { when = {}, then } = rule;
  const accounts = useStore((all) => all.accounts);
  const { data } = useFetched('operations');
  // An effect whose field is empty is still the one that the form shows.
  const last = useRef(EFFECTS[0]);
  const effect = (last.current = effectOf(then) ?? last.current);
  const known = /** @type {any[]} */ (data?.operations ?? []).filter((one) => one.rules);
  const { path, method } = known.find(({ name }) => name === when.operation) ?? {};
  const operation = {
    ...CONDITIONS.operation,
    placeholder: `every ${effect.about.slice(0, -1)}`,
    hints: ['bizmori.*', 'undetectable.*', 'storage.*', ...known.map(({ name }) => name)],
    note: path ? `${method} ${path}` : 'Name or glob: * is any text, ? one character',
  };
  const fitting = conditionsOf(effect.about, when.operation);
  const conditions = Object.entries({ ...CONDITIONS, operation }).filter(([name]) => fitting.includes(name) || name in when);
  const others = Object.keys(then).filter((name) => name !== effect.at.split('.')[0] && !(name in effect.fields));
  const note = others.length ? `The rule has ${others.join(' and ')} too: see the JSON.`
    : fileName && effect.about !== 'orders' && `For the file ${fileName}, choose an effect on orders.`;
  return html`<div class="editor-form">
    <${RuleFields} form=${form} fields=${{
      name: { label: 'Name', placeholder: 'optional' },
      account: { label: 'Account', placeholder: 'all accounts', disabled: isStored, hints: accounts.slice(0, 200).map(({ key }) => key) },
    }} />
    <${Field} type="checkbox" label="Enabled" value=${rule.enabled !== false}
      set=${(/** @type {any} */ isOn) => change({ ...rule, enabled: isOn ? undefined : false })} />
    <fieldset><legend>When</legend><${RuleFields} form=${form} at="when." fields=${Object.fromEntries(conditions)} /></fieldset>
    <fieldset><legend>Which of the matches</legend><${RuleFields} form=${form} fields=${MATCHES} /></fieldset>
    <fieldset><legend>Then</legend><label class="field"><span>Effect</span><select value=${effect.at}
        onChange=${(/** @type {any} */ { target }) => change(withEffect(rule, EFFECTS[target.selectedIndex], fileName))}>
        ${EFFECTS.map(({ at, about, name }) => html`<option key=${at} value=${at}>${about === 'orders' ? `Order: ${name}` : name}</option>`)}</select>
        ${note && html`<span class="muted">${note}</span>`}</label>
      <${RuleFields} form=${form} at="then." fields=${effect.fields} key=${effect.at} /></fieldset></div>`;
}

/** Parses JSON that is being typed. @param {string} text @returns {{rule?: Rule, problem: string}} */
function parseDraft(text) {
  try {
    const rule = JSON.parse(text);
    if (!rule || typeof rule !== 'object' || Array.isArray(rule)) return { problem: 'A rule is a JSON object.' };
    return { rule: { ...rule, then: rule.then && typeof rule.then === 'object' ? rule.then : {} }, problem: '' };
  } catch (error) {
    return { problem: `Not JSON yet: ${/** @type {Error} */ (error).message}` };
  }
}

/** @param {{title: string, start: Rule, id?: number, fileName?: string, notice?: any, onSaved: (rule: StoredRule) => void}} props */
function RuleEditor({ title, start, id, fileName, notice, onSaved }) {
  // The text is what is saved. The form shows the last text that was JSON.
  const [draft, setDraft] = useState(() => ({ rule: start, text: JSON.stringify(start, null, 2), problem: '' }));
  const [refusal, setRefusal] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  const area = useRef(/** @type {HTMLFormElement | null} */ (null));
  const { rule, text, problem } = draft;
  useEffect(() => /** @type {HTMLElement | null | undefined} */ (area.current?.querySelector('[aria-invalid]'))?.focus(), [refusal]);
  const change = (/** @type {Rule} */ changed) => {
    const json = JSON.stringify(changed, null, 2);
    setDraft({ rule: JSON.parse(json), text: json, problem: '' });
  };
  const form = { rule, change, refused: /^([a-zA-Z.]+):/.exec(refusal?.message ?? '')?.[1] ?? '', fileName, isStored: id !== undefined };
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setRefusal(null);
    try {
      onSaved(id === undefined ? await call('POST', 'rules', JSON.parse(text)) : await call('PUT', `rules/${id}`, JSON.parse(text)));
    } catch (error) {
      setRefusal(error);
      setBusy(false);
    }
  };
  const which = whichText(rule);
  return html`<form class="page editor" ref=${area} onSubmit=${save} novalidate>
    <header><h2>${title}</h2><span class="spacer"></span><a class="button" href=${link(id === undefined ? ['rules'] : ['rules', String(id)])}>Cancel</a>
      <button class="button primary" disabled=${isBusy || problem !== ''}>${id === undefined ? 'Add the rule' : 'Save'}</button></header>
    <${Problem} error=${notice} /><div id="refusal"><${Problem} error=${refusal} /></div>
    <div class="columns"><div inert=${problem !== ''}><${RuleForm} form=${form} /></div>
      <div class="editor-form"><p><b>When</b> ${whenText(rule)} <b>then</b> ${thenText(rule.then)}${which && html` <span class="muted">(${which})</span>`}</p>
        <${Field} type="textarea" label="The same as JSON" rows="22" value=${text} aria-invalid=${problem ? 'true' : null} aria-describedby="json-problem"
          set=${(/** @type {string | undefined} */ typed = '') => setDraft({ rule, text: typed, ...parseDraft(typed) })} />
        <p id="json-problem" role="status">${problem}</p></div></div>
  </form>`;
}
