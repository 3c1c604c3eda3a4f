// Rules: what the server does otherwise than usual, and how often it did.

import { call, CallError, ORIGIN } from './api.js';
import { counted } from './format.js';
import { AccountName, Action, Ask, Body, Copy, Empty, Facts, Fold, Icon, Problem, SearchInput, Snippet, Split, Table, Time, useMoves } from './parts.js';
import { go, link, replace } from './router.js';
import { EditRule, NewRule } from './rule-editor.js';
import { isOutbound, nameOf, thenText, toRequest, whenText, whichText } from './rule-text.js';
import { controlCurl, quoted } from './snippets.js';
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
  const isAll = useStore((all) => all.accountHash) === '';
  useStore((all) => all.accounts);
  useMatches(reload);
  const [saved, setSaved] = useState(/** @type {StoredRule | null} */ (null));
  const [part] = route.parts;
  const { q: text = '', edit } = route.query;
  const key = accountKey();
  const rules = /** @type {StoredRule[]} */ (data ?? []).filter((rule) => key === null || !rule.account || rule.account === key);
  const shown = rules.filter((rule) => `${nameOf(rule)} ${rule.account} ${whenText(rule)} ${thenText(rule.then)}`.toLowerCase().includes(text.toLowerCase()));
  const open = (/** @type {StoredRule} */ rule) => go(['rules', String(rule.id)], { q: text });
  const isSelected = (/** @type {StoredRule} */ rule) => String(rule.id) === part;
  useMoves(part === 'new' ? [] : shown, shown.findIndex(isSelected), open);
  // A rule that was just saved is shown before the listing is read again.
  const selected = data?.find(isSelected) ?? (saved && isSelected(saved) ? saved : null);
  const show = (/** @type {StoredRule} */ rule) => {
    setSaved(rule);
    reload();
    open(rule);
  };
  if (part === 'new') return html`<${NewRule} route=${route} onSaved=${show} />`;
  if (selected && edit) return html`<${EditRule} key=${part} stored=${selected} onSaved=${show} />`;
  if (!data) return html`<div class="pad"><${Problem} error=${error} /></div>`;
  if (!rules.length && !part) return html`<${NoRules} account=${key} onSaved=${show} />`;
  return html`<${Split} page="rules" title="Rules" one="Rule" id=${part} text=${text} list=${html`<div class="toolbar">
      <${SearchInput} text=${text} placeholder="name, operation, effect" onText=${(/** @type {string} */ q) => replace(['rules'], { q })} />
      <span class="muted count">${counted(shown.length, 'rule')}</span><a class="button primary" href=${link(['rules', 'new'])}>New rule</a></div>
    ${shown.length ? html`<div class="rules"><${Table} rows=${shown} keyOf=${(/** @type {StoredRule} */ { id }) => id}
      columns=${columnsOf(isAll && !part, text)} open=${open} isSelected=${isSelected}
      classOf=${(/** @type {StoredRule} */ { enabled }) => enabled === false && 'muted'} /></div>`
      : html`<${Empty} title="No rule matches the filter" />`}`}
    detail=${selected ? html`<${RuleDetail} rule=${selected} reload=${reload} />` : html`<${Empty} title=${`Rule ${part} is not there`}>
      <p>It was deleted, or a reset removed it.</p><//>`} />`;
}

/** @param {boolean} isAll @param {string} q @returns {(false | [string, (rule: StoredRule) => any, string?])[]} */
const columnsOf = (isAll, q) => [
  ['#', ({ id }) => id, 'muted'],
  ['Name', (rule) => html`<a href=${link(['rules', String(rule.id)], { q })}><b>${nameOf(rule)}</b></a> <${RuleState} rule=${rule} />`, 'grow'],
  ['Hits', hitsText, 'number end'],
  isAll && ['Account', accountOf, 'wide'],
  ['When', (rule) => html`<code>${whenText(rule)}</code>`, 'wide'],
  ['Then', (rule) => html`${thenText(rule.then)} <span class="muted">${whichText(rule)}</span>`, 'wide'],
];

/** @param {StoredRule} rule */
const accountOf = ({ account }) => (account ? html`<${AccountName} account=${account} hash=${hashOf(account)} />` : 'all accounts');

/** @param {StoredRule} rule */
const hitsText = ({ hits, times }) => (times ? `${hits} of ${times}` : `${hits}`);

/** @param {{rule: StoredRule}} props */
function RuleState({ rule: { enabled, hits, times } }) {
  const text = enabled === false ? 'disabled' : times && hits >= times && 'used up';
  return text ? html`<span class="chip">${text}</span>` : null;
}

/** Returns the curl command that adds the rule. @param {Partial<StoredRule>} rule */
const asCurl = (rule) => controlCurl('POST', 'rules', toRequest(rule));

/** Returns the `stuntdouble` command that adds the rule. @param {StoredRule} rule */
function asCommand(rule) {
  const { account, ...rest } = toRequest(rule);
  return `stuntdouble rules add ${quoted(JSON.stringify(rest))}${account ? ` --account ${quoted(account)}` : ''} --url ${ORIGIN}`;
}

/** @param {{rule: StoredRule, reload: () => void}} props */
function RuleDetail({ rule, reload }) {
  const isEnabled = rule.enabled !== false;
  const path = `rules/${rule.id}`;
  const toggle = () => call('PUT', path, toRequest({ ...rule, enabled: !isEnabled })).then(reload);
  const remove = async () => {
    await call('DELETE', path);
    reload();
    go(['rules']);
  };
  return html`<header class="detail-head">
      <div class="title"><h2>${nameOf(rule)}</h2><${RuleState} rule=${rule} /></div>
      <p class="wrap"><b>When</b> <code>${whenText(rule)}</code> <b>then</b> ${thenText(rule.then)}</p>
      <${Facts} pairs=${[['account', accountOf(rule)], ['applies', whichText(rule) || 'to every match'], ['hits', hitsText(rule)]]} />
      <div class="row wrap"><a class="button small primary" href=${link(['rules', String(rule.id)], { edit: '1' })}>Edit</a>
        <${Action} class="small" label=${isEnabled ? 'Disable' : 'Enable'} act=${toggle} />
        <${Copy} label="curl" text=${() => asCurl(rule)} /><${Copy} label="Command" text=${() => asCommand(rule)} />
        <${Ask} label="Delete" class="small danger" title=${`Delete ${nameOf(rule)}?`} verb="Delete the rule" act=${remove}>
          <p>When ${whenText(rule)}, then ${thenText(rule.then)}: this goes, with the count of its ${counted(rule.hits, 'hit')}.</p><//></div>
    </header>
    ${rule.lastMatches?.length ? html`<${Fold} title="Last matches"><${Table} rows=${rule.lastMatches} keyOf=${JSON.stringify} columns=${MATCH_COLUMNS} /><//>`
      : html`<${Fold} title="Never matched"><${NeverMatched} rule=${rule} /><//>`}
    <${Fold} title="JSON" open=${false}><${Body} body=${toRequest(rule)} /><//>`;
}

/** A match of an order has no request, and a call of the server has neither. @type {[string, (match: import('./rule-text.js').RuleMatch) => any][]} */
const MATCH_COLUMNS = [
  ['Rule', ({ applied }) => html`<span class="chip ${applied ? 'ok' : ''}">${applied ? 'applied' : 'skipped'}</span>`],
  ['Operation', ({ operation }) => operation],
  ['Match', ({ orderId, seq, account }) => (orderId ? html`<a href=${link(['orders', orderId])}>order ${orderId}</a>` : seq && requestLink(account, seq))],
  ['Time', ({ at }) => html`<${Time} at=${at} />`],
];

/** @param {string | null} account @param {number} seq */
const requestLink = (account, seq) => html`<a href=${link(['traffic', hashOf(account), String(seq)])}>request ${seq}</a>`;

/** Why a rule has not matched: the recorded requests that come nearest. @param {{rule: StoredRule}} props */
function NeverMatched({ rule }) {
  const isOfServer = isOutbound(rule);
  const { data, error, reload } = useFetched(isOfServer ? null : `verify ${rule.id} ${JSON.stringify(rule.when)}`, [], () => verify(rule));
  useMatches(reload);
  if (isOfServer) return html`<p class="muted">No call of the server matched yet; <a href=${link(['webhooks'])}>Webhooks</a> has the attempts.</p>`;
  if (/^(evicted|journal_disabled)$/.test(error?.code ?? '')) return html`<p class="muted">Which request came nearest is not recorded: ${error?.message}.</p>`;
  if (error || !data) return html`<${Problem} error=${error} />`;
  if (data.count > 0) {
    return html`<p class="muted">${counted(data.count, 'recorded request')} would match by operation, path and file name.${' '}
      ${rule.enabled === false ? 'The rule is disabled.' : 'They came before the rule, or an earlier rule applied, or the effect does not fit them.'}</p>`;
  }
  const misses = /** @type {{request: any, differences: string[]}[]} */ (data.nearMisses ?? []);
  if (!misses.length) return html`<p class="muted">No request has been recorded that the rule could be compared with.</p>`;
  return html`<p>The nearest request differs in:</p>${misses.map(({ request: { account, seq, method, path }, differences }) => html`<div class="near-miss"
    key=${`${account}/${seq}`}>${requestLink(account, seq)} <span class="muted">${method} ${path}</span>
    <ul>${differences.map((text) => html`<li key=${text}>${text}</li>`)}</ul></div>`)}`;
}

/** Counts recorded requests that the rule's condition matches. @param {StoredRule} rule */
async function verify({ account, when = {} }) {
  try {
    return await call('POST', 'requests/verify', { account: account ?? undefined, when, count: { min: 1 } });
  } catch (error) {
    if (error instanceof CallError && error.status === 422) return /** @type {any} */ (error).body;
    throw error;
  }
}

/** Rules that are ready to be added. @type {[string, string, import('./rule-text.js').Rule][]} */
const READY = [
  ['Answer the next request with 503, once', 'Does the client wait and try again?',
    { name: 'busy once', when: { operation: '*' }, times: 1, then: { respond: { status: 503, headers: { 'Retry-After': 1 } } } }],
  ['Decide the probability of files by their name', 'Detections of files such as photo-7.jpg get 0.62.',
    { name: 'uncertain photos', when: { fileName: 'photo*' }, then: { outcome: { probability: 0.62 } } }],
  ['Send every webhook twice', 'Does the receiver notice that it has the event already?', { name: 'twice', then: { webhook: { duplicate: 2 } } }],
];

/** @param {{account: string | null, onSaved: (rule: StoredRule) => void}} props */
const NoRules = ({ account, onSaved }) => html`<div class="page narrow"><h2>No rules</h2>
  <p>A rule delays, answers or breaks requests, decides how orders end, or changes webhooks. It counts what it did. Three to begin with, for${' '}
    ${account ? html`<code>${account}</code>` : 'all accounts'}:</p>
  ${READY.map(([title, text, ready]) => {
    const rule = toRequest({ ...ready, account });
    return html`<section key=${title} class="editor-form"><div class="row"><div><h3>${title}</h3><p class="muted">${text}</p></div><span class="spacer"></span>
      <${Action} class="primary" label="Add" act=${async () => onSaved(await call('POST', 'rules', rule))} /></div>
      <${Snippet} title="curl" text=${asCurl(rule)} /></section>`;
  })}
  <p>Or <a href=${link(['rules', 'new'])}>write one</a>, or choose <b>Make a rule</b> at a request in <a href=${link(['traffic'])}>Traffic</a>.</p></div>`;
