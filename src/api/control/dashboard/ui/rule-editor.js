// Editor of a rule: a form, and the same rule as JSON beside it.

import { call, get } from './api.js';
import { Icon, Problem } from './parts.js';
import { link } from './router.js';
import { HeadFields, setIn, ThenFields, WhenFields } from './rule-form.js';
import { fromOrder, fromRequest, KINDS, nameOf, thenText, toRequest, whenText, whichText } from './rule-text.js';
import { accountKey, keyOf, useFetched, useStore } from './store.js';
import { html, useEffect, useRef, useState } from './vendor/preact.js';

/**
 * @typedef {import('./rule-text.js').Rule} Rule
 * @typedef {import('./rule-text.js').StoredRule} StoredRule
 */

/**
 * Editor of a rule that does not exist yet, with a proposal if the route names what the rule is made from.
 * @param {{route: import('./router.js').Route, onSaved: (rule: StoredRule) => void}} props
 */
export function NewRule({ route, onSaved }) {
  const { from = '', rule: text } = route.query;
  const isReady = useStore((all) => all.accounts.length > 0 || all.live !== 'connecting');
  const { data, error } = useFetched(from && isReady ? from : null, [], readProposal);
  if (from && !data && !error) return html`<p class="muted pad">Reading…</p>`;
  const proposal = data ?? (text && parseRule(text)) ?? { rule: toRequest({ account: accountKey(), when: {}, times: 1, then: KINDS.respond.start }) };
  return html`<${RuleEditor} key=${from} title="New rule" start=${proposal.rule} fileName=${proposal.fileName} notice=${error} onSaved=${onSaved} />`;
}

/** @param {string} text @returns {{rule: Rule, fileName?: string} | undefined} */
function parseRule(text) {
  try {
    return { rule: toRequest(JSON.parse(text)) };
  } catch {
    return undefined;
  }
}

/** Reads the request or the order that a rule is made from: `HASH/SEQ` or `order:ID`. @param {string} from */
async function readProposal(from) {
  if (from.startsWith('order:')) return fromOrder(await get(`orders/${encodeURIComponent(from.slice('order:'.length))}`));
  const [hash, seq] = from.split('/');
  const account = hash === '-' ? '-' : encodeURIComponent(keyOf(hash) ?? hash);
  return fromRequest(await get(`requests/${account}/${encodeURIComponent(seq ?? '')}`));
}

/** @param {{stored: StoredRule, onSaved: (rule: StoredRule) => void}} props */
export const EditRule = ({ stored, onSaved }) => html`<${RuleEditor} title=${`Edit ${nameOf(stored)}`} start=${toRequest(stored)} id=${stored.id}
  onSaved=${onSaved} />`;

/** Parses JSON that is being typed. @param {string} text @returns {{rule?: Rule, problem?: string}} */
function parseDraft(text) {
  try {
    const rule = JSON.parse(text);
    if (rule === null || typeof rule !== 'object' || Array.isArray(rule)) return { problem: 'A rule is a JSON object.' };
    return { rule: { ...rule, then: rule.then !== null && typeof rule.then === 'object' ? rule.then : {} } };
  } catch (error) {
    return { problem: /** @type {Error} */ (error).message };
  }
}

/** Rule with its text. The text is what is saved; the form shows the last text that was JSON. @param {Rule} start */
function useDraft(start) {
  const [draft, setDraft] = useState(() => ({ rule: start, text: JSON.stringify(start, null, 2), problem: '' }));
  const replace = (/** @type {Rule} */ rule) => setDraft({ rule, text: JSON.stringify(rule, null, 2), problem: '' });
  const type = (/** @type {string} */ text) => {
    const { rule, problem } = parseDraft(text);
    setDraft((last) => ({ rule: rule ?? last.rule, text, problem: problem ?? '' }));
  };
  const set = (/** @type {string[]} */ path, /** @type {any} */ value) => setDraft((last) => {
    const rule = setIn(last.rule, path, value);
    return { rule, text: JSON.stringify(rule, null, 2), problem: '' };
  });
  return { draft, replace, type, set };
}

/** @param {{title: string, start: Rule, id?: number, fileName?: string, notice?: any, onSaved: (rule: StoredRule) => void}} props */
function RuleEditor({ title, start, id, fileName, notice, onSaved }) {
  const { draft, replace, type, set } = useDraft(start);
  const [refusal, setRefusal] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  const area = useRef(/** @type {HTMLFormElement | null} */ (null));
  const refused = /^([a-zA-Z.]+):/.exec(refusal?.message ?? '')?.[1] ?? '';
  useEffect(() => /** @type {HTMLElement | null | undefined} */ (area.current?.querySelector('[aria-invalid]'))?.focus(), [refusal]);
  const form = { rule: draft.rule, set, replace, refused, fileName };
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setRefusal(null);
    try {
      const body = JSON.parse(draft.text);
      onSaved(id === undefined ? await call('POST', 'rules', body) : await call('PUT', `rules/${id}`, body));
    } catch (error) {
      setRefusal(error);
      setBusy(false);
    }
  };
  const which = whichText(draft.rule);
  return html`<form class="page editor" ref=${area} onSubmit=${save} novalidate>
    <header><a class="crumb" href=${link(id === undefined ? ['rules'] : ['rules', String(id)])}><${Icon} name="back" />
      ${id === undefined ? 'Rules' : 'Rule'}</a><h2>${title}</h2>
      <span class="spacer"></span><div class="row"><a class="button" href=${link(id === undefined ? ['rules'] : ['rules', String(id)])}>Cancel</a>
      <button type="submit" class="button primary" disabled=${isBusy || draft.problem !== ''}>
        ${id === undefined ? 'Add the rule' : 'Save'}</button></div></header>
    ${notice && html`<${Problem} error=${notice} />`}
    <div id="refusal">${refusal && html`<${Problem} error=${refusal} />`}</div>
    <div class="editor-columns">
      <div class="editor-form" inert=${draft.problem !== ''}><${HeadFields} form=${form} isStored=${id !== undefined} /><${WhenFields} form=${form} />
        <${ThenFields} form=${form} /></div>
      <div class="editor-json"><p class="summary"><b>When</b> ${whenText(draft.rule)} <b>then</b> ${thenText(draft.rule.then)}
        ${which && html`${' '}<span class="muted">(${which})</span>`}</p>
        <label class="field"><span>The same as JSON</span><textarea class="code" rows="22" spellcheck=${false} value=${draft.text}
          aria-invalid=${draft.problem ? 'true' : null} aria-describedby="json-problem"
          onInput=${(/** @type {any} */ event) => type(event.target.value)}></textarea></label>
        <p id="json-problem" class="json-problem" role="status">${draft.problem && `Not JSON yet: ${draft.problem}`}</p></div>
    </div>
  </form>`;
}
