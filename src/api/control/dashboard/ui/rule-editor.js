// Editor of a rule: a form, and the same rule as JSON beside it.

import { call, get } from './api.js';
import { Field, Icon, Problem } from './parts.js';
import { link } from './router.js';
import {
  CONDITIONS, conditionsOf, EFFECTS, effectOf, getIn, MATCHES, nameOf, setIn, thenText, toRequest, whenText, whichText, withEffect,
} from './rule-text.js';
import { accountKey, keyOf, useFetched, useStore } from './store.js';
import { html, useEffect, useRef, useState } from './vendor/preact.js';

/**
 * @typedef {import('./rule-text.js').Rule} Rule
 * @typedef {import('./rule-text.js').StoredRule} StoredRule
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

/** @param {string | null} account @param {import('./rule-text.js').RuleWhen} [when] @returns {Rule} */
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
 * @param {{form: Form, path: string, field: import('./rule-text.js').RuleField}} props
 */
function RuleField({ form: { rule, change, refused }, path, field: { empty, ...attributes } }) {
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

/** @param {{form: Form, fields: Record<string, import('./rule-text.js').RuleField>, at?: string}} props */
const RuleFields = ({ form, fields, at = '' }) => html`<div class="fields">${Object.entries(fields).map(([name, field]) => html`<${RuleField}
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
