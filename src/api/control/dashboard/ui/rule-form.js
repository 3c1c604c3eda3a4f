// Form for the common parts of a rule. The rule itself is JSON; the form reads and changes it.

import { FAULTS, KINDS, OUTBOUND, isOutbound, kindOf, withKind } from './rule-text.js';
import { useFetched, useStore } from './store.js';
import { html, useEffect, useState } from './vendor/preact.js';

/**
 * @typedef {import('./rule-text.js').Rule} Rule
 * @typedef {{rule: Rule, set: (path: string[], value: any) => void, replace: (rule: Rule) => void, refused: string, fileName?: string}} Form
 * @typedef {{form: Form, path: string[], label: string, note?: any, placeholder?: string, list?: string}} FieldProps
 */

/** Returns a copy with the value at the path; undefined removes it. @param {any} value @param {string[]} path @param {any} inner @returns {any} */
export function setIn(value, [name, ...rest], inner) {
  const copy = { ...value };
  const changed = rest.length ? setIn(copy[name], rest, inner) : inner;
  if (changed === undefined) delete copy[name];
  else copy[name] = changed;
  return copy;
}

/** @param {any} value @param {string[]} path */
const getIn = (value, path) => path.reduce((inner, name) => inner?.[name], value);

/** Attributes of the control at a path. The field that the server's refusal names is invalid. @param {Form} form @param {string[]} path */
function invalid({ refused }, path) {
  const name = path.join('.');
  return refused && (refused === name || refused.startsWith(`${name}.`)) ? { 'aria-invalid': 'true', 'aria-describedby': 'refusal' } : {};
}

/** @param {{label: string, note?: any, children?: any}} props */
const Labelled = ({ label, note, children }) => html`<label class="field"><span>${label}</span>${children}${note && html`<span class="muted">
  ${note}</span>`}</label>`;

/** @param {FieldProps} props */
function TextField({ form, path, label, note, placeholder, list }) {
  return html`<${Labelled} label=${label} note=${note}><input type="text" spellcheck=${false} autocomplete="off" list=${list} placeholder=${placeholder}
    value=${getIn(form.rule, path) ?? ''} ...${invalid(form, path)}
      onInput=${(/** @type {any} */ event) => form.set(path, event.target.value || undefined)} /><//>`;
}

/** @param {FieldProps & {min?: number, max?: number, step?: string}} props */
function NumberField({ form, path, label, note, placeholder, min = 0, max, step = '1' }) {
  const change = (/** @type {any} */ event) => form.set(path, event.target.value === '' ? undefined : Number(event.target.value));
  return html`<${Labelled} label=${label} note=${note}><input type="number" min=${min} max=${max} step=${step} placeholder=${placeholder}
    value=${getIn(form.rule, path) ?? ''} ...${invalid(form, path)} onInput=${change} /><//>`;
}

/** @param {FieldProps & {options: [string, string][]}} props */
function SelectField({ form, path, label, note, options }) {
  return html`<${Labelled} label=${label} note=${note}><select ...${invalid(form, path)} value=${getIn(form.rule, path) ?? ''}
    onChange=${(/** @type {any} */ event) => form.set(path, event.target.value || undefined)}>
    ${options.map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}</select><//>`;
}

/** @param {FieldProps} props */
function CheckField({ form, path, label }) {
  return html`<label class="check"><input type="checkbox" checked=${getIn(form.rule, path) === true} ...${invalid(form, path)}
    onChange=${(/** @type {any} */ event) => form.set(path, event.target.checked || undefined)} /><span>${label}</span></label>`;
}

/**
 * Text that stands for a value. The typed text stays as it is while it stands for the value.
 * @param {FieldProps & {format: (value: any) => string, parse: (text: string) => any, rows?: number}} props
 */
function TextAreaField({ form, path, label, note, placeholder, format, parse, rows = 2 }) {
  const value = getIn(form.rule, path);
  const [text, setText] = useState(() => format(value));
  const key = JSON.stringify(value);
  useEffect(() => {
    if (JSON.stringify(parse(text)) !== key) setText(format(value));
  }, [key]);
  const change = (/** @type {any} */ event) => {
    setText(event.target.value);
    form.set(path, parse(event.target.value));
  };
  return html`<${Labelled} label=${label} note=${note}><textarea class="code" spellcheck=${false} rows=${rows} placeholder=${placeholder}
    value=${text} ...${invalid(form, path)} onInput=${change}></textarea><//>`;
}

/** @param {string} text */
function parseHeaders(text) {
  const pairs = text.split('\n').map((line) => /^\s*([^:\s]+):\s*(.*?)\s*$/.exec(line)).filter((pair) => pair !== null);
  return pairs.length ? Object.fromEntries(pairs.map(([, name, value]) => [name, value])) : undefined;
}

/** @param {Record<string, string | number> | undefined} headers */
const formatHeaders = (headers) => Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`).join('\n');

/** Body of a response: JSON if the text is JSON, else the text. @param {string} text */
function parseBody(text) {
  if (!text.trim()) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** @param {any} body */
const formatBody = (body) => (body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body, null, 2));

/** Conditions of the rule. @param {{form: Form}} props */
export function WhenFields({ form }) {
  const { rule } = form;
  const { data } = useFetched('operations');
  const { operation = '', method, path, fileName, webhookUrl } = rule.when ?? {};
  const isAboutOrders = KINDS[kindOf(rule.then)].isAboutOrders;
  const isWebhook = 'webhook' in rule.then || operation === 'webhook.deliver';
  const isOfServer = OUTBOUND.includes(operation);
  const names = (data?.operations ?? []).filter((/** @type {any} */ one) => one.rules);
  const known = names.find((/** @type {any} */ one) => one.name === operation);
  return html`<fieldset><legend>When</legend>
    <datalist id="operations">${['bizmori.*', 'undetectable.*', 'storage.*'].map((name) => html`<option key=${name} value=${name} />`)}
      ${names.map((/** @type {any} */ { name, method, path }) => html`<option key=${name} value=${name}
        label=${[method, path].filter(Boolean).join(' ')} />`)}</datalist>
    <${TextField} form=${form} path=${['when', 'operation']} label="Operation" list="operations"
      placeholder=${isWebhook ? 'webhook.deliver' : isAboutOrders ? 'every order' : 'every request'}
      note=${known?.path ? `${known.method} ${known.path}` : 'Name or glob: * is any text, ? one character'} />
    <div class="fields">
      ${((!isAboutOrders && !isOutbound(rule)) || method) && html`<${TextField} form=${form} path=${['when', 'method']} label="Method" list="methods"
        placeholder="any" />`}
      ${((!isAboutOrders && !isOutbound(rule)) || path) && html`<${TextField} form=${form} path=${['when', 'path']} label="Path"
        placeholder="/api/v2/orders/*" />`}
      ${(isAboutOrders || (isOfServer && !isWebhook) || fileName) && html`<${TextField} form=${form} path=${['when', 'fileName']} label="File name"
        placeholder="photo*.jpg" />`}
      ${(isWebhook || webhookUrl) && html`<${TextField} form=${form} path=${['when', 'webhookUrl']} label="URL of the webhook" placeholder="http://*/hook" />`}
    </div>
    <datalist id="methods">${['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((name) => html`<option key=${name} value=${name} />`)}</datalist>
  </fieldset>
  <fieldset><legend>Which of the matches</legend><div class="fields three">
    <${NumberField} form=${form} path=${['skip']} label="Skip the first" placeholder="0" />
    <${NumberField} form=${form} path=${['times']} label="Then apply, times" min=${1} placeholder="no limit" />
    <${NumberField} form=${form} path=${['probability']} label="Probability" max=${1} step="any" placeholder="1" />
  </div></fieldset>`;
}

/** Fields of `then` that the form shows for a kind. @type {Record<import('./rule-text.js').Kind, string[]>} */
const FIELDS = {
  respond: ['respond'],
  delay: ['delayMs'],
  fault: ['fault', 'bytesPerSecond'],
  outcome: ['outcome'],
  processing: ['processing'],
  webhook: ['webhook'],
};

/** @param {Form} form @param {import('./rule-text.js').Kind} kind */
function effectNote({ rule, fileName }, kind) {
  const others = Object.keys(rule.then).filter((name) => !FIELDS[kind].includes(name));
  if (others.length) return `The rule has ${others.join(' and ')} too: see the JSON.`;
  return fileName && !KINDS[kind].isAboutOrders ? `For the file ${fileName}, choose an effect on orders.` : null;
}

/** Effects of the rule. @param {{form: Form}} props */
export function ThenFields({ form }) {
  const { then } = form.rule;
  const kind = kindOf(then);
  return html`<fieldset><legend>Then</legend>
    <${Labelled} label="Effect" note=${effectNote(form, kind)}>
      <select value=${kind} onChange=${(/** @type {any} */ event) => form.replace(withKind(form.rule, event.target.value, form.fileName))}>
        ${Object.entries(KINDS).map(([id, { name }]) => html`<option key=${id} value=${id}>${name}</option>`)}</select><//>
    <${KIND_FIELDS[kind]} form=${form} />
  </fieldset>`;
}

/** @param {{form: Form}} props */
const RespondFields = ({ form }) => html`<${NumberField} form=${form} path=${['then', 'respond', 'status']} label="Status" min=${200} max=${599} />
  <${TextAreaField} form=${form} path=${['then', 'respond', 'headers']} label="Headers" placeholder="Retry-After: 3" format=${formatHeaders}
    parse=${parseHeaders} />
  <${TextAreaField} form=${form} path=${['then', 'respond', 'body']} label="Body" placeholder=${'{"code": "SERVICE_UNAVAILABLE"}'} rows=${4}
    format=${formatBody} parse=${parseBody} />`;

/** @param {{form: Form}} props */
const DelayFields = ({ form }) => html`<${NumberField} form=${form} path=${['then', 'delayMs']} label="Milliseconds of real time" max=${600000} />`;

/** @param {{form: Form}} props */
function FaultFields({ form }) {
  const isDrip = form.rule.then.fault === 'drip';
  return html`<${SelectField} form=${form} path=${['then', 'fault']} label="Fault"
    options=${Object.entries(FAULTS).map(([name, text]) => [name, `${name}: ${text}`])} note="The request is handled as always; only its response breaks." />
    ${(isDrip || form.rule.then.bytesPerSecond !== undefined) && html`<${NumberField} form=${form} path=${['then', 'bytesPerSecond']} label="Bytes a second"
      min=${1} placeholder="1024" />`}`;
}

/** Results that an outcome can set, with what the form starts with. @type {Record<string, {name: string, start: any}>} */
const RESULTS = {
  status: { name: 'It fails', start: { status: 'failed' } },
  finalResult: { name: 'Final result (Undetectable)', start: { finalResult: 'AI Edited' } },
  probability: { name: 'Probability (detection)', start: { probability: 0.62 } },
  watermarkText: { name: 'Watermark found (extraction)', start: { watermarkText: 'FOUND BY RULE' } },
  none: { name: 'No watermark (extraction)', start: { watermarkText: null } },
  detectionStatus: { name: 'No result (extraction, v3)', start: { detectionStatus: 'inconclusive' } },
  analysis: { name: 'The analysis fails (Undetectable)', start: { analysis: 'failed' } },
};

/** @param {{form: Form}} props */
function OutcomeFields({ form }) {
  const outcome = form.rule.then.outcome ?? {};
  const result = outcome.watermarkText === null ? 'none' : Object.keys(RESULTS).find((name) => name in outcome) ?? 'status';
  const at = (/** @type {string} */ name) => ['then', 'outcome', name];
  return html`<${Labelled} label="Result"><select value=${result}
    onChange=${(/** @type {any} */ event) => form.set(['then', 'outcome'], RESULTS[event.target.value].start)}>
      ${Object.entries(RESULTS).map(([id, { name }]) => html`<option key=${id} value=${id}>${name}</option>`)}</select><//>
    ${result === 'status' && html`<${TextField} form=${form} path=${at('errorCode')} label="Error code" placeholder="AI_DETECTION_TIMEOUT"
      note="BIZ MORI only. Without one: the general code." />
      <${TextField} form=${form} path=${at('errorMessage')} label="Error message" />`}
    ${result === 'finalResult' && html`<${TextField} form=${form} path=${at('finalResult')} label="Final result" list="finalResults"
      note="Or the name of a generator, such as Grok" />
      <datalist id="finalResults">${['AI Generated', 'Real', 'Digitally Edited', 'AI Edited'].map((name) => html`<option key=${name}
        value=${name} />`)}</datalist>`}
    ${(result === 'probability' || result === 'finalResult') && html`<${NumberField} form=${form} path=${at('probability')} label="Probability" max=${1}
      step="any" placeholder="by the result" />`}
    ${result === 'watermarkText' && html`<${TextField} form=${form} path=${at('watermarkText')} label="Text of the watermark" />`}
    ${result === 'detectionStatus' && html`<${SelectField} form=${form} path=${at('detectionStatus')} label="Status"
      options=${['inconclusive', 'unsupported', 'error'].map((name) => [name, name])} />`}`;
}

/** @param {{form: Form}} props */
function ProcessingFields({ form }) {
  const processing = form.rule.then.processing ?? {};
  const mode = processing === 'hold' ? 'hold' : 'polls' in processing ? 'polls' : 'ms';
  /** @type {Record<string, any>} */
  const starts = { ms: { ms: 60000 }, polls: { polls: 3 }, hold: 'hold' };
  return html`<${Labelled} label="Done"><select value=${mode} onChange=${(/** @type {any} */ event) => form.set(['then', 'processing'], starts[event.target.value])}>
      <option value="ms">after a time of the account's clock</option><option value="polls">after a number of reads</option>
        <option value="hold">when it is released: complete or fail the order</option></select><//>
    ${mode === 'ms' && html`<${NumberField} form=${form} path=${['then', 'processing', 'ms']} label="Milliseconds" />`}
    ${mode === 'polls' && html`<${NumberField} form=${form} path=${['then', 'processing', 'polls']} label="Reads that still show it in progress" min=${1}
      max=${1000} />`}`;
}

/** @param {{form: Form}} props */
function WebhookFields({ form }) {
  const at = (/** @type {string} */ name) => ['then', 'webhook', name];
  return html`<div class="fields"><${NumberField} form=${form} path=${at('duplicate')} label="Send it, times" min=${2} max=${10} placeholder="1" />
      <${NumberField} form=${form} path=${at('delayMs')} label="Later, ms" placeholder="0" note="By the account's clock" />
      <${SelectField} form=${form} path=${at('signature')} label="Signature" options=${[['', 'valid'], ['wrong', 'wrong'], ['missing', 'missing']]} /></div>
    <${CheckField} form=${form} path=${at('outOfOrder')} label="Send it after the next one" />
    <${CheckField} form=${form} path=${at('drop')} label="Do not send it at all (excludes the others)" />`;
}

/** @type {Record<import('./rule-text.js').Kind, any>} */
const KIND_FIELDS = {
  respond: RespondFields,
  delay: DelayFields,
  fault: FaultFields,
  outcome: OutcomeFields,
  processing: ProcessingFields,
  webhook: WebhookFields,
};

/** Name and account of the rule. @param {{form: Form, isStored: boolean}} props */
export function HeadFields({ form, isStored }) {
  const accounts = useStore((all) => all.accounts);
  return html`<div class="fields">
    <${TextField} form=${form} path=${['name']} label="Name" placeholder="optional" />
    ${isStored
      ? html`<${Labelled} label="Account"><input type="text" disabled value=${form.rule.account ?? 'all accounts'}
        title="The account of a rule cannot change" /><//>`
      : html`<${TextField} form=${form} path=${['account']} label="Account" list="accounts" placeholder="all accounts" />
        <datalist id="accounts">${accounts.slice(0, 200).map(({ key }) => html`<option key=${key} value=${key} />`)}</datalist>`}
  </div>
  <label class="check"><input type="checkbox" checked=${form.rule.enabled !== false}
    onChange=${(/** @type {any} */ event) => form.set(['enabled'], event.target.checked ? undefined : false)} /><span>Enabled</span></label>`;
}
