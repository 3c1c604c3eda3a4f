// Rules as data: their effects and conditions, which make the form, the words and the JSON.

import { duration } from './format.js';

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
export const getIn = (value, path) => path.split('.').reduce((inner, name) => inner?.[name], value);

/** Returns a copy with the value at the path; undefined removes it. @param {any} value @param {string} path @param {any} inner @returns {any} */
export function setIn(value, path, inner) {
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
export const EFFECTS = [
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
    'webhook.drop': { label: 'Do not send it at all', type: 'checkbox' },
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
export const effectOf = (then) => EFFECTS.find(has(then));

/** Calls of the server itself, which no recorded request matches. */
const OUTBOUND = ['webhook.deliver', 'zeroCopy.put', 'file.fetch'];

/** `true` if the rule acts on calls that the server makes. @param {Rule} rule */
export const isOutbound = ({ when = {}, then }) => 'webhook' in then || 'webhookUrl' in when || OUTBOUND.includes(when.operation ?? '');

/** Names of the conditions that fit an effect and an operation. @param {string} about @param {string} [operation] */
export function conditionsOf(about, operation = '') {
  if (about === 'webhooks' || operation === 'webhook.deliver') return ['operation', 'webhookUrl'];
  return about === 'orders' || OUTBOUND.includes(operation) ? ['operation', 'fileName'] : ['operation', 'method', 'path'];
}

/** Fields of conditions by their names. @type {Record<string, RuleField>} */
export const CONDITIONS = {
  operation: { label: 'Operation' },
  method: { label: 'Method', placeholder: 'any', hints: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] },
  path: { label: 'Path', placeholder: '/api/v2/orders/*' },
  fileName: { label: 'File name', placeholder: 'photo*.jpg' },
  webhookUrl: { label: 'URL of the webhook', placeholder: 'http://*/hook' },
};

/** Fields that say which of the matches a rule applies to. @type {Record<string, RuleField>} */
export const MATCHES = {
  skip: number('Skip the first', { placeholder: '0' }),
  times: number('Then apply, times', { min: 1, placeholder: 'no limit' }),
  probability: { ...PROBABILITY, placeholder: '1' },
};

/**
 * Returns the rule with another effect, and without the conditions that it cannot have.
 * @param {Rule} rule @param {Effect} effect @param {string} [fileName]
 */
export function withEffect(rule, { about, at, start }, fileName) {
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
  return [operation, target, fileName && `file ${fileName}`, webhookUrl && `to ${webhookUrl}`].filter(Boolean).join(', ') || every;
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
