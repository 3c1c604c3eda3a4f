// Rules as words and commands, and proposals for new ones.

import { ORIGIN } from './api.js';
import { duration } from './format.js';
import { controlCurl, quoted } from './snippets.js';

/**
 * @typedef {{operation?: string, method?: string, path?: string, fileName?: string, webhookUrl?: string}} RuleWhen
 * @typedef {{delayMs?: number, respond?: {status?: number, headers?: Record<string, string | number>, body?: any}, fault?: string,
 *   bytesPerSecond?: number, outcome?: any, processing?: any, webhook?: any}} RuleThen
 * @typedef {{name?: string | null, account?: string | null, enabled?: boolean, when?: RuleWhen, skip?: number,
 *   times?: number | null, probability?: number, then: RuleThen}} Rule
 * @typedef {{at: string, account: string | null, operation: string, seq: number | null, orderId: string | null, applied: boolean}} RuleMatch
 * @typedef {Rule & {id: number, hits: number, lastMatches: RuleMatch[]}} StoredRule
 * @typedef {'respond' | 'delay' | 'fault' | 'outcome' | 'processing' | 'webhook'} Kind
 */

/**
 * Kinds of effects: their name, what they act on, and what the form starts with.
 * @type {Record<Kind, {name: string, isAboutOrders: boolean, start: RuleThen}>}
 */
export const KINDS = {
  respond: { name: 'Answer in place of the handler', isAboutOrders: false, start: { respond: { status: 503 } } },
  delay: { name: 'Delay', isAboutOrders: false, start: { delayMs: 2000 } },
  fault: { name: 'Break the response', isAboutOrders: false, start: { fault: 'reset' } },
  outcome: { name: 'Outcome of an order', isAboutOrders: true, start: { outcome: { status: 'failed' } } },
  processing: { name: 'Processing time of an order', isAboutOrders: true, start: { processing: { ms: 60000 } } },
  webhook: { name: 'Webhook', isAboutOrders: false, start: { webhook: { duplicate: 2 } } },
};

/** Faults with their effect. @type {Record<string, string>} */
export const FAULTS = {
  reset: 'reset the connection',
  empty: 'close without a byte',
  truncate: 'cut the response in half',
  garbage: 'send bytes that are not HTTP',
  drip: 'send the response slowly',
};

/** Calls of the server itself, which no recorded request matches. */
export const OUTBOUND = ['webhook.deliver', 'zeroCopy.put', 'file.fetch'];

/** Kind of a rule's first effect. @param {RuleThen} then @returns {Kind} */
export function kindOf(then) {
  for (const kind of /** @type {Kind[]} */ (['webhook', 'outcome', 'processing', 'respond', 'fault'])) if (kind in then) return kind;
  return 'delay';
}

/** `true` if the rule acts on orders, and `false` if it acts on calls. @param {Rule} rule */
const isAboutOrders = ({ then }) => KINDS[kindOf(then)].isAboutOrders;

/** `true` if the rule acts on calls that the server makes. @param {Rule} rule */
export const isOutbound = ({ when = {}, then }) => 'webhook' in then || 'webhookUrl' in when || OUTBOUND.includes(when.operation ?? '');

/** Text that names a rule. @param {StoredRule} rule */
export const nameOf = (rule) => rule.name ?? `rule ${rule.id}`;

/** Returns the rule as a request has it, without fields that have their defaults. @param {Partial<StoredRule>} rule @returns {Rule} */
export function toRequest({ name, account, enabled, when, skip, times, probability, then }) {
  const conditions = Object.fromEntries(Object.entries(when ?? {}).filter(([, value]) => value));
  return {
    ...(name ? { name } : {}),
    ...(account ? { account } : {}),
    ...(enabled === false ? { enabled } : {}),
    ...(Object.keys(conditions).length ? { when: conditions } : {}),
    ...(skip ? { skip } : {}),
    ...(times === null || times === undefined ? {} : { times }),
    ...(probability === undefined || probability === 1 ? {} : { probability }),
    then: then ?? {},
  };
}

/** Returns the condition in words. @param {Rule} rule */
export function whenText(rule) {
  const { operation, method, path, fileName, webhookUrl } = rule.when ?? {};
  const every = isOutbound(rule) ? 'every webhook attempt' : isAboutOrders(rule) ? 'every order' : 'every request';
  const target = [method, path].filter(Boolean).join(' ');
  const parts = [operation, target, fileName && `file ${fileName}`, webhookUrl && `to ${webhookUrl}`].filter(Boolean);
  return parts.length ? parts.join(', ') : every;
}

/** Returns which of the matches the rule applies to, in words. An empty string stands for all. @param {Rule} rule */
export function whichText({ skip, times, probability }) {
  const many = times === 1 ? 'once' : times ? `${times} times` : '';
  const after = skip ? `after ${skip === 1 ? 'the first match' : `the first ${skip} matches`}` : '';
  const part = probability !== undefined && probability < 1 ? `${Math.round(probability * 1000) / 10} % of the matches` : '';
  return [many, after, part].filter(Boolean).join(', ');
}

/** Returns the effects in words. @param {RuleThen} then */
export function thenText({ delayMs, respond, fault, bytesPerSecond, outcome, processing, webhook }) {
  const parts = [];
  if (delayMs) parts.push(`wait ${duration(delayMs)}`);
  if (respond) parts.push(`answer ${respond.status ?? '…'}`);
  if (fault) parts.push(fault === 'drip' ? `send ${bytesPerSecond ?? 1024} bytes a second` : FAULTS[fault] ?? fault);
  if (outcome) parts.push(outcomeText(outcome));
  if (processing) parts.push(processingText(processing));
  if (webhook) parts.push(webhookText(webhook));
  return parts.join(', then ') || 'nothing yet';
}

/** @param {any} outcome */
function outcomeText(outcome) {
  if (outcome.status === 'failed') return outcome.errorCode ? `fail with ${outcome.errorCode}` : 'fail';
  if (outcome.analysis) return 'fail the analysis';
  if (outcome.finalResult) return `result ${outcome.finalResult}${outcome.probability === undefined ? '' : `, probability ${outcome.probability}`}`;
  if (outcome.probability !== undefined) return `probability ${outcome.probability}`;
  if (outcome.watermarkText !== undefined) return outcome.watermarkText === null ? 'find no watermark' : `find watermark “${outcome.watermarkText}”`;
  return outcome.detectionStatus ? `detection ${outcome.detectionStatus}` : 'outcome';
}

/** @param {any} processing */
function processingText(processing) {
  if (processing === 'hold') return 'hold until released';
  return processing.polls === undefined ? `process for ${duration(processing.ms ?? 0)}` : `done after ${processing.polls} reads`;
}

/** @param {any} webhook */
function webhookText({ drop, duplicate, delayMs, signature, outOfOrder }) {
  if (drop) return 'drop the webhook';
  const parts = [
    duplicate && `send it ${duplicate} times`,
    delayMs && `send it ${duration(delayMs)} later`,
    signature && `${signature} signature`,
    outOfOrder && 'send it after the next one',
  ];
  return parts.filter(Boolean).join(', ') || 'change the webhook';
}

/** Returns the curl command that adds the rule. @param {Partial<StoredRule>} rule */
export const asRuleCurl = (rule) => controlCurl('POST', 'rules', toRequest(rule));

/** Returns the `stuntdouble` command that adds the rule. @param {Partial<StoredRule>} rule */
export function asRuleCommand(rule) {
  const { account, ...rest } = toRequest(rule);
  const url = ORIGIN === 'http://localhost:8080' ? '' : ` --url ${ORIGIN}`;
  return `stuntdouble rules add ${quoted(JSON.stringify(rest))}${account ? ` --account ${quoted(account)}` : ''}${url}`;
}

/**
 * Rules that are ready to be added, for a page without rules.
 * @param {string | null} account @returns {{title: string, text: string, rule: Rule}[]}
 */
export function readyRules(account) {
  const scope = account ? { account } : {};
  const busy = { respond: { status: 503, headers: { 'Retry-After': 1 } } };
  return [
    {
      title: 'Answer the next request with 503, once',
      text: 'Does the client wait and try again?',
      rule: { name: 'busy once', ...scope, when: { operation: '*' }, times: 1, then: busy },
    },
    {
      title: 'Decide the probability of files by their name',
      text: 'Detections of files such as photo-7.jpg get 0.62.',
      rule: { name: 'uncertain photos', ...scope, when: { fileName: 'photo*' }, then: { outcome: { probability: 0.62 } } },
    },
    {
      title: 'Send every webhook twice',
      text: 'Does the receiver notice that it has the event already?',
      rule: { name: 'twice', ...scope, then: { webhook: { duplicate: 2 } } },
    },
  ];
}

/** Returns the first file name in a request's body or query. @param {any} value @returns {string | undefined} */
function findFileName(value) {
  if (value === null || typeof value !== 'object') return undefined;
  for (const [name, inner] of Object.entries(value)) {
    if ((name === 'fileName' || name === 'file_name') && typeof inner === 'string') return inner;
    const found = findFileName(inner);
    if (found) return found;
  }
  return undefined;
}

/** Returns the proposal for a rule about a request like this one. @param {any} exchange @returns {{rule: Rule, fileName?: string}} */
export function fromRequest(exchange) {
  const { account, operation, method, path, query, requestBody } = exchange;
  const isRoute = /^(bizmori|undetectable|storage)\./.test(operation);
  const when = isRoute ? { operation } : { method, path };
  const rule = toRequest({ account, when, times: 1, then: KINDS.respond.start });
  return { rule, fileName: findFileName(requestBody) ?? findFileName(Object.fromEntries(new URLSearchParams(query ?? ''))) };
}

/**
 * Returns the proposal for a rule that decides about the next order with the same file name.
 * @param {any} order @returns {{rule: Rule, fileName?: string}}
 */
export function fromOrder(order) {
  const fileName = order.files?.[0]?.name ?? order.fileNames?.[0];
  return { rule: toRequest({ account: order.account, when: { fileName }, then: { outcome: outcomeFor(order) } }), fileName };
}

/** Returns an outcome that an order of this type can have. @param {{vendor: string, type: string}} order */
function outcomeFor({ vendor, type }) {
  if (vendor === 'undetectable') return { finalResult: 'AI Edited' };
  if (/extract/i.test(type)) return { watermarkText: 'FOUND BY RULE' };
  return /detect/i.test(type) ? { probability: 0.62 } : { status: 'failed' };
}

/**
 * Returns the rule with another kind of effect, and without the conditions that the kind cannot have.
 * @param {Rule} rule @param {Kind} kind @param {string} [fileName] @returns {Rule}
 */
export function withKind(rule, kind, fileName) {
  const { operation, ...rest } = rule.when ?? {};
  const isOfServer = OUTBOUND.includes(operation ?? '');
  const named = operation === undefined ? {} : { operation };
  /** @type {RuleWhen} */
  let when;
  if (kind === 'webhook') when = { ...(operation === 'webhook.deliver' ? named : {}), webhookUrl: rest.webhookUrl };
  else if (KINDS[kind].isAboutOrders) when = { ...(isOfServer ? {} : named), fileName: rest.fileName ?? fileName };
  else if (isOfServer) when = { ...named, ...rest };
  else when = { ...named, method: rest.method, path: rest.path };
  return toRequest({ ...rule, when, then: structuredClone(KINDS[kind].start) });
}
