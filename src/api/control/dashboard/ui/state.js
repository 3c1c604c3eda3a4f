// State: settings of the account, snapshots, reset, export, and facts on the server.

import { switchAccount } from './accounts.js';
import { call, send, withQuery } from './api.js';
import { counted, duration, instant, size } from './format.js';
import { AccountName, Action, Ask, Card, Copy, Facts, Field, Problem, StateChip, Table } from './parts.js';
import { controlCurl } from './snippets.js';
import { hashOf, loadAccounts, useFetched, useStore } from './store.js';
import { html, useState } from './vendor/preact.js';

/** @typedef {import('./store.js').Account} Account */
/** @typedef {{name: string, account: string | null, takenAt: string, accounts: number, orders: number, bytes: number}} Snapshot */

/** Accounts that the list shows. */
const ACCOUNTS_MAX = 200;

export function State() {
  const hash = useStore((all) => all.accountHash);
  const accounts = useStore((all) => all.accounts);
  const account = accounts.find((one) => one.hash === hash);
  const key = account?.key ?? null;
  const info = useFetched(withQuery('info', { account: key }), ['orders', 'deliveries', 'rules', 'accounts']);
  const reset = async () => {
    await call('POST', 'reset', key === null ? {} : { account: key });
    switchAccount('');
  };
  return html`<div class="page state">
    <header><h2>${account ? html`<${AccountName} account=${key} hash=${hash} full />` : 'All accounts'}</h2><span class="spacer"></span>
      <${Action} label="Export as fixtures" isDisabled=${key === null} act=${() => exportFixtures(key)}
        title=${key === null ? 'Select an account first' : 'For --fixtures and stuntdouble fixtures load'} />
      <${Ask} label=${key === null ? 'Reset everything' : 'Reset the account'} title=${`Reset ${key ?? 'everything'}?`} act=${reset}>
        <${ResetText} account=${key} info=${info.data} /><//></header>
    <${Problem} error=${info.error} />
    <div class="columns"><div>${account ? html`<${AccountForm} key=${key} account=${account} />` : html`<${Accounts} accounts=${accounts} />`}
        <${Snapshots} account=${key} /></div>
      <div>${info.data && html`<${Server} info=${info.data} />`}</div></div>
  </div>`;
}

/** Downloads the fixtures of the account. @param {string | null} account */
async function exportFixtures(account) {
  const response = await send(withQuery('fixtures', { account }));
  if (!response.ok) throw (await response.json()).error;
  const href = URL.createObjectURL(await response.blob());
  Object.assign(document.createElement('a'), { href, download: `fixtures-${hashOf(account)}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10000);
}

/** @param {{account: string | null, info: any}} props */
function ResetText({ account, info }) {
  const rules = useFetched(account && 'rules?limit=1000').data?.rules ?? [];
  const { orders = {}, accounts = 0, journal } = info ?? {};
  const sum = Object.values(orders).reduce((all, count) => all + Number(count), 0);
  const waiting = (orders.pending ?? 0) + (orders.inProgress ?? 0);
  const named = rules.filter((/** @type {any} */ rule) => rule.account === account).length;
  const goes = [
    account ? 'the account with its settings, clock and webhooks' : `${counted(accounts, 'account')}, with clocks and webhooks`,
    `${counted(sum, 'order')} with files${waiting ? `, ${waiting.toLocaleString('en')} of them not done` : ''}`,
    account ? `${counted(named, 'rule')} that name the account` : counted(info?.rules ?? 0, 'rule'),
    account ? 'its recorded requests and inboxes' : `${counted(journal?.requests ?? 0, 'recorded request')}, all inboxes`,
  ];
  return html`<p>This goes, and cannot be brought back but from a snapshot:</p><ul class="goes">${goes.map((text) => html`<li key=${text}>${text}</li>`)}</ul>
    <p class="muted">Snapshots stay.${account ? ' Other accounts stay as they are.' : ' The default clock shows the real time again.'}</p>`;
}

/** Input and button that make something with a name. @param {{label: string, verb: string, act: (name: string) => Promise<any>}} props */
function New({ label, verb, act }) {
  const [name, setName] = useState('');
  return html`<div class="row wrap"><input type="text" aria-label=${label} placeholder=${label} maxlength="200" value=${name}
    onInput=${(/** @type {any} */ { target }) => setName(target.value)} />
    <${Action} label=${verb} isDisabled=${!name} act=${() => act(name).then(() => setName(''))} /></div>`;
}

/** @param {{accounts: Account[]}} props */
function Accounts({ accounts }) {
  const open = (/** @type {Account} */ { hash }) => switchAccount(hash);
  const add = async (/** @type {string} */ key) => {
    await call('PUT', `accounts/${encodeURIComponent(key)}`, {});
    await loadAccounts();
    switchAccount(hashOf(key));
  };
  const newest = [...accounts].sort((a, b) => (b.createdAt ?? '').localeCompare(a.createdAt ?? '')).slice(0, ACCOUNTS_MAX);
  return html`<${Card} title="Accounts" note=${counted(accounts.length, 'account')}>
    ${accounts.length === 0 ? html`<p class="muted">None yet. Any word is an API key; its first use makes the account.</p>`
      : html`<${Table} rows=${newest} keyOf=${hashOfAccount} open=${open} columns=${ACCOUNT_COLUMNS} />`}
    ${accounts.length > ACCOUNTS_MAX && html`<p class="muted">${accounts.length - ACCOUNTS_MAX} more: find them by the switcher in the top bar.</p>`}
    <${New} label="Key of a new account" verb="Set it up" act=${add} /><//>`;
}

/** @param {Account} account */
const hashOfAccount = ({ hash }) => hash;

/** @type {[string, (account: Account) => any, string?][]} */
const ACCOUNT_COLUMNS = [
  ['Key', ({ key, hash }) => html`<button type="button" class="as-link" onClick=${() => switchAccount(hash)}>
    <${AccountName} account=${key} hash=${hash} /></button>`],
  ['Plan', ({ plan, requestsPerMinute }) => (requestsPerMinute === null ? plan : `${requestsPerMinute} a minute`)],
  ['Credits', ({ credits }) => credits?.toLocaleString('en') ?? 'unlimited'],
  ['State', ({ state }) => (state === 'active' ? state : html`<${StateChip} state="failed" label=${state} />`)],
  ['Created', ({ createdAt }) => createdAt && instant(createdAt), 'muted'],
];

/**
 * Controls of an account's settings, by the names of the settings. An empty control stands for null.
 * @type {Record<string, {label: string, [attribute: string]: any}>}
 */
const SETTINGS = {
  plan: { label: 'Plan', options: {
    unlimited: 'unlimited', free: 'free: 60 requests a minute', pro: 'pro: 300 requests a minute', enterprise: 'enterprise: 1,000 requests a minute',
  } },
  state: { label: 'State', options: {
    active: 'active', expired: 'expired: every call is refused', forbidden: 'forbidden: every call is refused', unknown: 'unknown: as if the key did not exist',
  } },
  revision: { label: "Revision of BIZ MORI's API", options: { '': 'as the server is set', '2026-03': '2026-03', '2026-10': '2026-10' } },
  requestsPerMinute: { label: 'Requests a minute', type: 'number', placeholder: 'by the plan' },
  credits: { label: 'Credits', type: 'number', placeholder: 'unlimited' },
  retentionDays: { label: 'Retention, days', type: 'number', placeholder: 'as the server is set' },
  delayMs: { label: 'Processing, ms', type: 'number', placeholder: 'as the server is set' },
  jitterMs: { label: 'Jitter, ms', type: 'number', placeholder: '0' },
};

/** @param {{account: Account}} props */
function AccountForm({ account }) {
  const [edits, setEdits] = useState(/** @type {Record<string, any>} */ ({}));
  const stored = /** @type {Record<string, any>} */ ({ ...account, ...account.processing });
  const settings = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, (name in edits ? edits : stored)[name] ?? null]));
  const { delayMs, jitterMs, ...rest } = settings;
  const processing = delayMs === null && jitterMs === null ? null : { delayMs: delayMs ?? 0, jitterMs: jitterMs ?? 0 };
  const put = /** @type {const} */ (['PUT', `accounts/${encodeURIComponent(account.key)}`, { ...rest, processing }]);
  const isChanged = Object.keys(settings).some((name) => settings[name] !== (stored[name] ?? null));
  const defaults = { ...Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, null])), plan: 'unlimited', state: 'active' };
  const save = async () => {
    await call(...put);
    await loadAccounts();
    setEdits({});
  };
  return html`<${Card} title="Settings of the account" note=${html`<${Copy} label="curl" text=${() => controlCurl(...put)} />`}>
    <div class="fields">${Object.entries(SETTINGS).map(([name, field]) => html`<${Field} key=${name} ...${field} value=${settings[name]}
      set=${(/** @type {any} */ value = null) => setEdits({ ...edits, [name]: value })} />`)}</div>
    <div class="row wrap"><${Action} class="primary" label="Save" isDisabled=${!isChanged} act=${save} />
      ${isChanged && html`<button type="button" class="button" onClick=${() => setEdits({})}>Discard</button>`}
      <span class="spacer"></span><button type="button" class="button quiet" onClick=${() => setEdits(defaults)}>Defaults</button></div><//>`;
}

/** @param {{account: string | null}} props */
function Snapshots({ account }) {
  const { data, error, reload } = useFetched(withQuery('snapshots', { account }), ['accounts']);
  const snapshots = /** @type {Snapshot[]} */ (data?.snapshots ?? []);
  const take = (/** @type {string} */ name) => call('PUT', `snapshots/${encodeURIComponent(name)}`, account === null ? {} : { account }).then(reload);
  return html`<${Card} title="Snapshots" note=${account === null ? 'of everything, and of single accounts' : 'of this account'}>
    <${Problem} error=${error} />
    ${snapshots.length === 0 ? html`<p class="muted">None. A snapshot keeps orders, files, webhooks, rules, clocks and settings for the next test.</p>`
      : html`<${Table} rows=${snapshots} keyOf=${JSON.stringify} columns=${[
        ['Name', (/** @type {Snapshot} */ { name }) => html`<b>${name}</b>`], account === null && ['Of', snapshotOf], ...SNAPSHOT_COLUMNS,
        ['Actions', (/** @type {Snapshot} */ snapshot) => html`<${SnapshotActions} snapshot=${snapshot} reload=${reload} />`],
      ]} />`}
    <${New} label="Name of a new snapshot" verb=${`Take a snapshot${account === null ? ' of everything' : ''}`} act=${take} /><//>`;
}

/** @param {Snapshot} snapshot */
const snapshotOf = ({ account, accounts }) => (account === null ? `everything, ${counted(accounts, 'account')}`
  : html`<${AccountName} account=${account} hash=${hashOf(account)} />`);

/** @type {[string, (snapshot: Snapshot) => any, string?][]} */
const SNAPSHOT_COLUMNS = [
  ['Orders', ({ orders }) => orders.toLocaleString('en'), 'number'], ['Size', ({ bytes }) => size(bytes), 'number'],
  ['Taken', ({ takenAt }) => instant(takenAt), 'muted'],
];

/** @param {{snapshot: Snapshot, reload: () => void}} props */
function SnapshotActions({ snapshot: { name, account, orders, takenAt }, reload }) {
  const path = `snapshots/${encodeURIComponent(name)}`;
  const whose = account === null ? 'everything' : `the account ${account}`;
  return html`<div class="row"><${Ask} label="Restore" class="small" title=${`Restore ${name}?`}
      act=${() => call('POST', `${path}/restore`, account === null ? {} : { account }).then(reload)}>
      <p>The present state of ${whose} goes: orders, files, webhooks, rules, settings, recorded requests and inboxes. Instead come${' '}
        ${counted(orders, 'order')} of ${instant(takenAt)}.</p><//>
    <${Ask} label="Delete" class="small danger" title=${`Delete ${name}?`} verb="Delete the snapshot"
      act=${() => call('DELETE', withQuery(path, { account })).then(reload)}>
      <p>The snapshot of ${whose} with ${counted(orders, 'order')} goes. The present state stays.</p><//></div>`;
}

/** @param {{info: any}} props */
function Server({ info }) {
  const { memory, journal } = info;
  const of = (/** @type {number} */ used, /** @type {number | null} */ max) => used && [used, max].filter(Boolean).map(size).join(' of ');
  const number = (/** @type {number} */ count) => count.toLocaleString('en');
  return html`<${Card} title="Server"><${Facts} pairs=${[
    ['version', info.version],
    ['started', info.startedAt && `${instant(info.startedAt)}, ${duration(info.uptimeMs)} ago`],
    ['unknown keys', info.mode === 'strict' ? 'refused (mode strict)' : 'become accounts (mode open)'],
    ['data directory', html`<code>${info.dataDirectory}</code>${info.isTemporary && html`<p class="muted">temporary: goes when the server stops</p>`}`],
    ['memory', memory && of(memory.residentBytes, memory.limitBytes)],
    ['journal', html`${counted(journal.requests, 'request')}, ${of(journal.bytes, journal.bytesMax)}, ${number(journal.evicted)} evicted
      <p class="muted">at most ${number(journal.requestsMax)} requests of each account</p>`],
    ['accounts, rules', `${info.accounts}, ${info.rules}`],
    ['open dashboards', info.streams],
  ]} /><//>`;
}
