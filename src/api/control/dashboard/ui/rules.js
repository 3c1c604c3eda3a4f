// Rules: what the server does otherwise than usual, and how often it did.

import { call, CallError } from './api.js';
import { counted } from './format.js';
import { AccountName, Action, Body, Copy, Dialog, Empty, Facts, Fold, Icon, Problem, Snippet, Time } from './parts.js';
import { go, link, replace } from './router.js';
import { EditRule, NewRule } from './rule-editor.js';
import { asRuleCommand, asRuleCurl, isOutbound, nameOf, readyRules, thenText, toRequest, whenText, whichText } from './rule-text.js';
import { accountKey, hashOf, onTopic, useFetched, useListing, useStore } from './store.js';
import { html, useEffect, useRef, useState } from './vendor/preact.js';

/** @typedef {import('./rule-text.js').StoredRule} StoredRule */

/** Pause between two readings that new requests cause. */
const PAUSE_MS = 1500;

/** Calls `reload` when something happens that a rule may have matched, with a pause between two calls. @param {() => void} reload */
function useMatches(reload) {
  const latest = useRef(reload);
  latest.current = reload;
  useEffect(() => {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const soon = () => (timer ??= setTimeout(() => ((timer = undefined), latest.current()), PAUSE_MS));
    const ends = /** @type {const} */ (['requests', 'orders', 'deliveries']).map((topic) => onTopic(topic, soon));
    return () => {
      clearTimeout(timer);
      for (const end of ends) end();
    };
  }, []);
}

/** @param {{route: import('./router.js').Route}} props */
export function Rules({ route }) {
  const { data, error, reload } = useListing('rules', 'rules', ['rules', 'accounts']);
  useStore((all) => all.accountHash);
  useStore((all) => all.accounts);
  useMatches(reload);
  const key = accountKey();
  const rules = /** @type {StoredRule[]} */ (data ?? []).filter((rule) => key === null || rule.account === null || rule.account === key);
  const [part] = route.parts;
  const [saved, setSaved] = useState(/** @type {StoredRule | null} */ (null));
  // A rule that was just saved is shown before the listing is read again.
  const selected = [...(data ?? []), ...(saved ? [saved] : [])].find((rule) => String(rule.id) === part);
  const show = (/** @type {StoredRule} */ rule) => {
    setSaved(rule);
    reload();
    go(['rules', String(rule.id)]);
  };
  const text = route.query.q ?? '';
  const shown = rules.filter((rule) => `${nameOf(rule)} ${rule.account ?? ''} ${whenText(rule)} ${thenText(rule.then)}`.toLowerCase().includes(text.toLowerCase()));
  useKeys(shown, part);
  if (part === 'new') return html`<${NewRule} route=${route} onSaved=${show} />`;
  if (selected && route.query.edit) return html`<${EditRule} key=${selected.id} stored=${selected} onSaved=${show} />`;
  if (!data) return error ? html`<div class="pad"><${Problem} error=${error} /></div>` : null;
  if (!rules.length && !part) return html`<${NoRules} onSaved=${show} />`;
  return html`<div class=${`split rules ${part ? 'has-detail' : ''}`}>
    <section class="list" aria-label="Rules"><${Toolbar} text=${text} count=${shown.length} />
      ${shown.length ? html`<${RuleTable} rules=${shown} selected=${part} text=${text} />` : html`<${Empty} title="No rule matches">
        <p>The filter <code>${text}</code> hides all of them.</p><//>`}</section>
    ${part && html`<section class="detail" aria-label="Rule" key=${part}><a class="back" href=${link(['rules'], { q: text })}><${Icon} name="back" />Rules</a>
      ${selected ? html`<${RuleDetail} rule=${selected} reload=${reload} />` : html`<div class="pad"><h2>Rule ${part} is not there</h2>
        <p class="muted">It was deleted, or a reset removed it.</p></div>`}</section>`}
  </div>`;
}

/** @param {{text: string, count: number}} props */
const Toolbar = ({ text, count }) => html`<div class="toolbar">
  <label class="search"><${Icon} name="search" /><input type="search" aria-label="Filter" placeholder="name, operation, effect" value=${text}
    onInput=${(/** @type {any} */ event) => replace(['rules'], { q: event.target.value })} /></label>
  <span class="muted count">${counted(count, 'rule')}</span><a class="button primary" href=${link(['rules', 'new'])}>New rule</a></div>`;

/** Rules in the order in which they are tried. @param {{rules: StoredRule[], selected?: string, text: string}} props */
function RuleTable({ rules, selected, text }) {
  const isAll = useStore((all) => all.accountHash === '');
  return html`<div class="rules-table"><table><thead><tr><th class="rule-id">#</th><th>Name</th>${isAll && html`<th class="rule-account">Account</th>`}
    <th class="rule-when">When</th><th>Then</th><th class="rule-hits">Hits</th></tr></thead>
    <tbody>${rules.map((rule) => html`<tr key=${rule.id} class=${`link ${rule.enabled === false ? 'disabled' : ''}`}
      aria-selected=${String(rule.id) === selected ? 'true' : null} onClick=${() => go(['rules', String(rule.id)], { q: text })}>
      <td class="rule-id muted">${rule.id}</td>
      <td class="rule-name"><a href=${link(['rules', String(rule.id)], { q: text })}>${nameOf(rule)}</a> <${RuleState} rule=${rule} /></td>
      ${isAll && html`<td class="rule-account">${rule.account === null ? html`<span class="muted">all accounts</span>` : html`<${AccountName}
        account=${rule.account} hash=${hashOf(rule.account ?? null)} />`}</td>`}
      <td class="rule-when"><code>${whenText(rule)}</code></td>
      <td class="rule-then">${thenText(rule.then)} <span class="muted">${whichText(rule)}</span></td>
      <td class="rule-hits">${hitsText(rule)}</td></tr>`)}</tbody></table></div>`;
}

/** @param {StoredRule} rule */
const hitsText = ({ hits, times }) => (times ? `${hits} of ${times}` : String(hits));

/** `true` if the rule has been applied as often as it may. @param {StoredRule} rule */
const isUsedUp = ({ hits, times }) => Boolean(times) && hits >= Number(times);

/** @param {{rule: StoredRule}} props */
function RuleState({ rule }) {
  if (rule.enabled === false) return html`<span class="chip">disabled</span>`;
  return isUsedUp(rule) ? html`<span class="chip">used up</span>` : null;
}

/** Moves the selection by `j` and `k`. @param {StoredRule[]} rules @param {string | undefined} selected */
function useKeys(rules, selected) {
  useEffect(() => {
    const onMove = (/** @type {any} */ event) => {
      const index = selected === undefined ? (event.detail > 0 ? -1 : rules.length) : rules.findIndex(({ id }) => String(id) === selected);
      const next = rules[index + event.detail];
      if (next && selected !== 'new') go(['rules', String(next.id)]);
    };
    addEventListener('dashboard-move', onMove);
    return () => removeEventListener('dashboard-move', onMove);
  }, [rules.map(({ id }) => id).join(), selected]);
}

/** @param {{rule: StoredRule, reload: () => void}} props */
function RuleDetail({ rule, reload }) {
  const [isAsking, setAsking] = useState(false);
  const isEnabled = rule.enabled !== false;
  const toggle = async () => {
    await call('PUT', `rules/${rule.id}`, toRequest({ ...rule, enabled: !isEnabled }));
    reload();
  };
  const remove = async () => {
    await call('DELETE', `rules/${rule.id}`);
    reload();
    go(['rules']);
  };
  const matches = rule.lastMatches ?? [];
  return html`<article class="rule">
    <header class="detail-head">
      <div class="title"><h2>${nameOf(rule)}</h2><${RuleState} rule=${rule} /></div>
      <p class="summary"><b>When</b> <code>${whenText(rule)}</code> <b>then</b> ${thenText(rule.then)}</p>
      <${Facts} pairs=${[['account', html`<${RuleAccount} rule=${rule} />`], ['applies', whichText(rule) || 'to every match'], ['hits', hitsText(rule)]]} />
      <div class="row wrap"><a class="button small primary" href=${link(['rules', String(rule.id)], { edit: '1' })}>Edit</a>
        <${Action} class="small" label=${isEnabled ? 'Disable' : 'Enable'} act=${toggle} />
        <${Copy} label="curl" text=${() => asRuleCurl(rule)} /><${Copy} label="Command" text=${() => asRuleCommand(rule)} />
        <button type="button" class="button small danger" onClick=${() => setAsking(true)}>Delete</button></div>
    </header>
    ${matches.length > 0 ? html`<${LastMatches} matches=${matches} />` : html`<${NeverMatched} rule=${rule} />`}
    <${Fold} title="JSON" open=${false}><${Body} body=${toRequest(rule)} /><//>
    ${isAsking && html`<${Dialog} title=${`Delete ${nameOf(rule)}?`} onClose=${() => setAsking(false)}>
      <p>When ${whenText(rule)}, then ${thenText(rule.then)}: this goes, with the count of its ${counted(rule.hits, 'hit')}. What the rule has already decided stays.</p>
      <div class="row"><${Action} class="danger" label="Delete the rule" act=${remove} /><button type="button" class="button"
        onClick=${() => setAsking(false)}>Cancel</button></div><//>`}
  </article>`;
}

/** @param {{rule: StoredRule}} props */
const RuleAccount = ({ rule }) => (rule.account ? html`<${AccountName} account=${rule.account} hash=${hashOf(rule.account)} full />` : html`all accounts`);

/** @param {{matches: import('./rule-text.js').RuleMatch[]}} props */
const LastMatches = ({ matches }) => html`<${Fold} title="Last matches" note=${matches.length}><ul class="lines">
  ${matches.map((match, index) => html`<li key=${index} class="line">
  ${match.applied ? html`<span class="chip ok">applied</span>` : html`<span class="chip" title="By skip, times or probability">skipped</span>`}
  <span class="clip">${match.operation}</span><${MatchLink} match=${match} /><${Time} at=${match.at} /></li>`)}</ul><//>`;

/** @param {{match: import('./rule-text.js').RuleMatch}} props */
function MatchLink({ match }) {
  if (match.orderId !== null) return html`<a href=${link(['orders', match.orderId])}>order ${match.orderId}</a>`;
  // A call of the server has neither; its operation says what it is.
  if (match.seq === null) return null;
  return html`<a href=${link(['traffic', hashOf(match.account), String(match.seq)])}>request ${match.seq}</a>`;
}

/** Why a rule has not matched: the recorded requests that come nearest. @param {{rule: StoredRule}} props */
function NeverMatched({ rule }) {
  const when = JSON.stringify(rule.when ?? {});
  const { data, error, reload } = useFetched(isOutbound(rule) ? null : `verify ${rule.id} ${when}`, [], () => verify(rule));
  useMatches(reload);
  if (isOutbound(rule)) return html`<${Fold} title="Never matched">
    <p class="muted">The rule is about calls that the server makes. None of them matched yet; <a href=${link(['webhooks'])}>Webhooks</a> has the attempts.</p><//>`;
  if (error?.code === 'evicted' || error?.code === 'journal_disabled') {
    return html`<${Fold} title="Never matched"><p class="muted">The journal cannot tell which request came nearest: ${error.message}.</p><//>`;
  }
  if (error) return html`<${Fold} title="Never matched"><${Problem} error=${error} /><//>`;
  if (!data) return null;
  if (data.count > 0) {
    return html`<${Fold} title="Never matched"><p class="muted">${counted(data.count, 'recorded request')} would match by operation, path and file name.${' '}
      ${rule.enabled === false ? 'The rule is disabled.' : 'They came before the rule, or an earlier rule applied, or the effect does not fit them.'}</p><//>`;
  }
  const [nearest, ...others] = data.nearMisses ?? [];
  if (!nearest) return html`<${Fold} title="Never matched"><p class="muted">No request has been recorded that the rule could be compared with.</p><//>`;
  return html`<${Fold} title="Never matched"><p>The nearest request differs in:</p><${NearMiss} miss=${nearest} />
    ${others.length > 0 && html`<p class="muted">Next nearest:</p>${others.map((/** @type {any} */ miss) => html`<${NearMiss}
      key=${`${miss.request.account}/${miss.request.seq}`} miss=${miss} />`)}`}<//>`;
}

/** @param {{miss: {request: any, differences: string[]}}} props */
const NearMiss = ({ miss: { request, differences } }) => html`<div class="near-miss">
  <a href=${link(['traffic', hashOf(request.account), String(request.seq)])}>request ${request.seq}</a> <span class="muted">
    ${request.method} ${request.path}</span>
  <ul>${differences.map((text) => html`<li key=${text}>${text}</li>`)}</ul></div>`;

/** Counts recorded requests that the rule's condition matches. @param {StoredRule} rule */
async function verify(rule) {
  try {
    return await call('POST', 'requests/verify', { account: rule.account ?? undefined, when: rule.when ?? {}, count: { min: 1 } });
  } catch (error) {
    if (error instanceof CallError && error.status === 422) return /** @type {any} */ (error).body;
    throw error;
  }
}

/** Rules that are ready to be added. @param {{onSaved: (rule: StoredRule) => void}} props */
function NoRules({ onSaved }) {
  const key = accountKey();
  const add = async (/** @type {any} */ rule) => onSaved(await call('POST', 'rules', rule));
  return html`<div class="page narrow"><section class="empty ready-rules">
    <h2>No rules</h2>
    <p>A rule delays, answers or breaks requests, decides how orders end, or changes webhooks. It counts what it did. Three to begin with${key
      ? html`, for <code>${key}</code>` : ', for all accounts'}:</p>
    ${readyRules(key).map(({ title, text, rule }) => html`<section key=${title} class="ready-rule"><div class="row"><div><h3>${title}</h3>
      <p class="muted">${text}</p></div><span class="spacer"></span><${Action} class="primary" label="Add" act=${() => add(rule)} /></div>
      <${Snippet} title="curl" text=${asRuleCurl(rule)} /></section>`)}
    <p>Or <a href=${link(['rules', 'new'])}>write one</a>, or take a request in <a href=${link(['traffic'])}>Traffic</a> and choose <b>Make a rule</b>.</p>
  </section></div>`;
}
