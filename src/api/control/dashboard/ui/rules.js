// Rules: what the server does otherwise than usual, and how often it did.

import { call, CallError, ORIGIN } from './api.js';
import { counted } from './format.js';
import { AccountName, Action, Ask, Body, Card, Copy, Empty, Facts, Fold, Icon, Problem, SearchInput, Snippet, Split, Table, Time, useMoves } from './parts.js';
import { go, link, replace } from './router.js';
import { EditRule, isOutbound, nameOf, NewRule, thenText, toRequest, whenText, whichText } from './rule.js';
import { controlCurl, quoted } from './snippets.js';
import { accountKey, hashOf, useFetched, useListing, useStore } from './store.js';
import { html, useState } from './vendor/preact.js';

/** @typedef {import('./rule.js').StoredRule} StoredRule */

/** Pause between two readings that new requests cause. */
const PAUSE_MS = 1500;

/** Topics of changes after which a rule may have matched. @type {import('./store.js').Topic[]} */
const MATCH_TOPICS = ['requests', 'orders', 'deliveries'];

/** @param {{route: import('./router.js').Route}} props */
export function Rules({ route }) {
  const { data, error, reload } = useListing('rules', 'rules', ['rules', 'accounts', ...MATCH_TOPICS], PAUSE_MS);
  const isAll = useStore((all) => all.accountHash) === '';
  useStore((all) => all.accounts);
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

/** A match of an order has no request, and a call of the server has neither. @type {[string, (match: import('./rule.js').RuleMatch) => any][]} */
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
  const key = isOfServer ? null : `${rule.id} ${JSON.stringify(rule.when)}`;
  const { data, error } = useFetched(key, MATCH_TOPICS, () => verify(rule), PAUSE_MS);
  const isGone = /^(evicted|journal_disabled)$/.test(error?.code ?? '');
  if (!isGone && (error || (!data && !isOfServer))) return html`<${Problem} error=${error} />`;
  /** @type {{request: any, differences: string[]}[]} */
  const misses = data?.nearMisses ?? [];
  const text = isOfServer ? 'No call of the server matched yet; Webhooks has the attempts.'
    : isGone ? `Which request came nearest is not recorded: ${error?.message}.`
    : data.count > 0 ? `${counted(data.count, 'recorded request')} would match${rule.enabled === false ? ', but the rule is disabled'
      : '. They came before the rule, or an earlier rule applied, or the effect does not fit them'}.`
    : misses.length === 0 && 'No request has been recorded that the rule could be compared with.';
  if (text) return html`<p class="muted">${text}</p>`;
  return html`<p>The nearest request differs in:</p>${misses.map(({ request: { account, seq, method, path }, differences }) => html`<div class="near-miss"
    key=${`${account}/${seq}`}><p>${requestLink(account, seq)} <span class="muted">${method} ${path}</span></p>
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

/** Rules that are ready to be added, and what they are for. @type {[string, import('./rule.js').Rule][]} */
const READY = [
  ['Does the client wait and try again?',
    { name: 'busy once', when: { operation: '*' }, times: 1, then: { respond: { status: 503, headers: { 'Retry-After': 1 } } } }],
  ['Detections of files such as photo-7.jpg get 0.62.',
    { name: 'uncertain photos', when: { fileName: 'photo*' }, then: { outcome: { probability: 0.62 } } }],
  ['Does the receiver notice that it has the event already?', { name: 'twice', then: { webhook: { duplicate: 2 } } }],
];

/** @param {{account: string | null, onSaved: (rule: StoredRule) => void}} props */
const NoRules = ({ account, onSaved }) => html`<div class="page narrow"><h2>No rules</h2>
  <p>A rule delays, answers or breaks requests, decides how orders end, or changes webhooks. Three to begin with, for ${account ?? 'all accounts'}:</p>
  ${READY.map(([text, ready]) => {
    const rule = toRequest({ ...ready, account });
    return html`<${Card} key=${text} title=${rule.name} note=${html`<${Action} class="primary" label="Add"
      act=${async () => onSaved(await call('POST', 'rules', rule))} />`}><p>When ${whenText(rule)}, then ${thenText(rule.then)}. ${text}</p>
      <${Snippet} title="curl" text=${asCurl(rule)} /><//>`;
  })}
  <p>Or <a href=${link(['rules', 'new'])}>write one</a>, or choose <b>Make a rule</b> at a request in <a href=${link(['traffic'])}>Traffic</a>.</p></div>`;
