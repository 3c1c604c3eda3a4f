// Pages Now, State and Report: what is due and what went wrong; settings, snapshots and the server; the client's mistakes.

import { switchAccount } from './accounts.js';
import { call, send, withQuery } from './api.js';
import { JOB_NAMES, NextJob } from './clock.js';
import { FirstSteps } from './first-steps.js';
import { counted, duration, instant, size } from './format.js';
import { AccountName, Action, Ask, Card, Copy, Countdown, Facts, Field, Icon, Problem, StateChip, Status, Table, Time } from './parts.js';
import { link } from './router.js';
import { controlCurl } from './snippets.js';
import { accountKey, hashOf, loadAccounts, loadClock, rowKey, state, useFetched, useStore } from './store.js';
import { html, useState } from './vendor/preact.js';

/** @typedef {{at: string, kind: string, subject: string, account: string, clock: string, orderId: string | null, isRunning: boolean}} Job */

const JOBS_MAX = 50;
const FAILURES_MAX = 10;
/** Orders and attempts that are read to find the failed ones. */
const READ_MAX = 100;
/** Kinds of jobs that somebody waits for. The others are mere ends of a time. */
const AWAITED = new Set(['order.process', 'order.report', 'webhook.deliver']);

export function Now() {
  useStore((all) => all.accountHash);
  useStore((all) => all.accounts);
  useStore((all) => all.rowsVersion);
  const account = accountKey();
  const jobs = useFetched(withQuery('jobs', { account, limit: JOBS_MAX }), ['orders', 'deliveries', 'clock', 'accounts']);
  const info = useFetched(withQuery('info', { account }), ['orders', 'deliveries', 'accounts']);
  const orders = useFetched(withQuery('orders', { account, limit: READ_MAX }), ['orders', 'accounts']);
  const deliveries = useFetched(withQuery('deliveries', { account, limit: READ_MAX }), ['deliveries', 'accounts']);
  const rows = state.rows.filter((row) => account === null || row.account === account);
  if (!rows.length && orders.data?.orders.length === 0 && jobs.data?.jobs.length === 0) return html`<${FirstSteps} />`;
  const last = (/** @type {any[]} */ entries) => entries.slice(-FAILURES_MAX).reverse();
  const refused = last(rows.filter(({ fault, status }) => fault || (status ?? 0) >= 400));
  const failed = last((orders.data?.orders ?? []).filter((/** @type {any} */ { status }) => status === 'failed'));
  /** @type {Map<number, any>} */
  const attempts = new Map((deliveries.data?.deliveries ?? []).map((/** @type {any} */ attempt) => [attempt.id, attempt]));
  const retries = [...attempts.values()].filter(({ nextAt }) => nextAt !== null);
  return html`<div class="page now">
    <header>${info.data && html`<${Numbers} page="orders" field="state" counts=${info.data.orders} />
      <${Numbers} page="webhooks" field="status" counts=${info.data.deliveries} />`}<span class="spacer"></span><${NowActions} /></header>
    <${Problem} error=${jobs.error ?? info.error ?? orders.error ?? deliveries.error} />
    <div class="columns">
      <div><${DueWork} jobs=${jobs.data?.jobs ?? []} hasMore=${Boolean(jobs.data?.next)} />
        ${retries.length > 0 && html`<${Card} title="Webhooks that are tried again" note=${counted(retries.length, 'delivery', 'deliveries')}>
          ${retries.slice(0, FAILURES_MAX).map(({ id, status, eventType, nextAt, attempt, error, url }) => html`<${Line} key=${id}
            to=${['webhooks', String(id)]} chip=${html`<${Status} status=${status} fault=${status === null ? 'no answer' : null} />`} title=${eventType}
            time=${html`<${Due} at=${nextAt} isKnown=${account !== null} />`} note=${`attempt ${attempt}: ${error ?? url}`} />`)}<//>`}</div>
      <div><${Card} title="Refused or broken requests" note=${html`<a href=${link(['traffic'], { q: 'status:4xx' })}>all 4xx</a>`}>
          ${refused.length === 0 && html`<p class="muted">None.</p>`}
          ${refused.map((row) => html`<${Line} key=${rowKey(row)} to=${['traffic', hashOf(row.account), String(row.seq)]} title=${row.operation}
            chip=${html`<${Status} status=${row.status} fault=${row.fault} />`} time=${html`<${Time} at=${row.at} real=${row.receivedAt} />`}
            note=${row.ruleId === null ? reasonOf(row) : html`<a href=${link(['rules', String(row.ruleId)])}>${reasonOf(row)}</a>`} />`)}<//>
        ${failed.length > 0 && html`<${Card} title="Failed orders" note=${html`<a href=${link(['orders'], { q: 'state:failed' })}>all</a>`}>
          ${failed.map(({ id, failure, fileNames, name, updatedAt }) => html`<${Line} key=${id} to=${['orders', id]} title=${fileNames?.[0] ?? name}
            chip=${html`<${StateChip} state="failed" label=${failure?.code || 'failed'} />`} time=${html`<${Time} at=${updatedAt} />`}
            note=${failure?.message} />`)}<//>`}</div>
    </div>
  </div>`;
}

/** @param {import('./store.js').RequestRow} row */
const reasonOf = ({ reason, fault, ruleId, method, path }) => [
  fault && `fault ${fault}`,
  reason ?? (ruleId !== null ? `rule ${ruleId}` : !fault && `${method} ${path}`),
].filter(Boolean).join(', ');

/** Entry with a link, and a note below. @param {{to: string[], chip: any, title: string, time: any, note: any}} props */
const Line = ({ to, chip, title, time, note }) => html`<div class="line"><a class="row" href=${link(to)}>${chip}<b class="clip">${title}</b>
  <span class="spacer"></span><span class="muted number">${time}</span></a><p class="muted">${note}</p></div>`;

/** Orders or deliveries by state. @param {{page: string, field: string, counts: Record<string, number>}} props */
const Numbers = ({ page, field, counts }) => html`<div class="row wrap numbers"><span class="muted">${page}</span>
  ${Object.entries(counts).map(([state, count]) => html`<a key=${state} href=${link([page], { q: `${field}:${state}` })}>
    <b>${count.toLocaleString('en')}</b> <${StateChip} state=${state} label=${state === 'inProgress' ? 'in progress' : state} /></a>`)}</div>`;

/** Actions on the clock and on the work. */
function NowActions() {
  const isFrozen = useStore((all) => all.clock?.mode) === 'frozen';
  const [drained, setDrained] = useState(/** @type {any} */ (null));
  const account = accountKey() ?? undefined;
  const setMode = () => call('PUT', 'clock', { account, mode: isFrozen ? 'running' : 'frozen' }).then(loadClock);
  // A drain that waits in vain answers with an error, and with what it waited for.
  const drain = () => call('POST', 'drain', { account }).catch((error) => (error.body?.waiting ? error.body : Promise.reject(error))).then(setDrained);
  return html`<div class="row wrap"><${NextJob} />
      <${Action} label="Drain" title="Waits until no work is in progress or due within ten seconds" act=${drain} />
      <${Action} label=${html`<${Icon} name=${isFrozen ? 'play' : 'pause'} />${isFrozen ? 'Run' : 'Pause'}`} act=${setMode}
        title="Freezes the clock, or lets it run" /></div>
    ${drained && html`<${Drained} result=${drained} />`}`;
}

/** Names of what a client still owes. @type {Record<string, string>} */
const WAITING_NAMES = { 'order.upload': 'upload', 'order.confirm': 'confirm', 'order.poll': 'reads', 'order.release': 'release of the rule that holds it' };

/** @param {{kind: string, subject: string}} entry */
const workText = ({ kind, subject }) => (WAITING_NAMES[kind] ? `${subject} waits for the ${WAITING_NAMES[kind]}` : `${JOB_NAMES[kind] ?? kind} of ${subject}`);

/** Work that a drain waited for in vain, or that is due later. @param {{result: any}} props */
const Drained = ({ result: { idle, next, error, waiting } }) => html`<div class="drained" role="status">${idle
  ? html`All work has ended.${next && html` Due later: ${workText(next)}, <${Countdown} at=${next.at} />.`}`
  : html`<p>${error ? `The clock is frozen while work is due later. ${error.hint}` : 'Some work has not ended:'}</p>
    <ul>${waiting.map((/** @type {any} */ entry) => html`<li key=${entry.kind + entry.subject}>${workText(entry)}</li>`)}</ul>`}</div>`;

/** @param {{jobs: Job[], hasMore: boolean}} props */
function DueWork({ jobs, hasMore }) {
  const isAll = useStore((all) => all.accountHash === '');
  const awaited = jobs.filter(({ kind }) => AWAITED.has(kind));
  const kinds = [...new Set(jobs.map(({ kind }) => kind))].filter((kind) => !AWAITED.has(kind));
  const due = (/** @type {Job} */ { isRunning, at, clock }) => (isRunning ? html`<span class="chip redirect">running</span>`
    : html`<${Due} at=${at} isKnown=${!isAll || clock === 'default'} />`);
  return html`<${Card} title="Due" note=${`${hasMore ? `the first ${JOBS_MAX}, ` : ''}by the account's clock`}>
    ${awaited.length === 0 ? html`<p class="muted">No order in progress, no webhook to come.</p>` : html`<${Table} rows=${awaited}
      keyOf=${JSON.stringify} columns=${[
        ['When', due, 'number'], ['What', (/** @type {Job} */ job) => html`${JOB_NAMES[job.kind] ?? job.kind} ${subjectOf(job)}`, 'grow'],
        isAll && ['Account', (/** @type {Job} */ { account }) => html`<${AccountName} account=${account} hash=${hashOf(account)} />`],
      ]} />`}
    ${kinds.map((kind) => {
      const [first, ...more] = jobs.filter((job) => job.kind === kind);
      const count = more.length > 0 && `${more.length + 1} jobs, the first is `;
      return html`<p class="muted" key=${kind}>${JOB_NAMES[kind] ?? kind}: ${count}${subjectOf(first)} ${due(first)}</p>`;
    })}<//>`;
}

/** Time until an instant, if the top bar shows the clock that judges it; else the instant. @param {{at: string, isKnown: boolean}} props */
const Due = ({ at, isKnown }) => (isKnown ? html`<${Countdown} at=${at} />` : html`<span title="By the account's own clock">${instant(at)}</span>`);

/** @param {Job} job */
function subjectOf({ kind, subject, orderId }) {
  if (kind === 'webhook.deliver') return html`<a href=${link(['webhooks', subject])}>delivery ${subject}</a>`;
  return orderId ? html`<a href=${link(['orders', orderId])}>order ${orderId}</a>` : subject;
}

/** Says what the report will be, and where to look meanwhile. */
export const Report = () => html`<div class="page narrow"><h2>Report on the client</h2><p>It comes with a later version. Meanwhile
  ${' '}<a href=${link(['traffic'], { q: 'status:4xx' })}>the refused requests</a> say most of it.</p></div>`;

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
      ${info.data && html`<${Ask} label=${key === null ? 'Reset everything' : 'Reset the account'} title=${`Reset ${key ?? 'everything'}?`} act=${reset}>
        <${ResetText} account=${key} info=${info.data} /><//>`}</header>
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
function ResetText({ account, info: { orders, accounts, rules, journal } }) {
  const sum = Object.values(orders).reduce((all, count) => all + count, 0);
  const all = `${counted(accounts, 'account')}, ${counted(rules, 'rule')}, ${counted(journal.requests, 'recorded request')}, all webhooks, clocks and inboxes`;
  return html`<p>This goes, and only a snapshot brings it back: ${counted(sum, 'order')} with files,${' '}
    ${orders.pending + orders.inProgress} of them not done; ${account ? 'the settings, rules, webhooks, clock, recorded requests and inboxes' : all}.</p>
    <p class="muted">Snapshots${account && ' and other accounts'} stay.</p>`;
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
      : html`<${Table} rows=${newest} keyOf=${JSON.stringify} open=${open} columns=${ACCOUNT_COLUMNS} />`}
    ${accounts.length > ACCOUNTS_MAX && html`<p class="muted">${accounts.length - ACCOUNTS_MAX} more: find them by the switcher in the top bar.</p>`}
    <${New} label="Key of a new account" verb="Set it up" act=${add} /><//>`;
}

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
  const scope = account === null ? 'everything' : `the account ${account}`;
  return html`<div class="row"><${Ask} label="Restore" class="small" title=${`Restore ${name}?`}
      act=${() => call('POST', `${path}/restore`, account === null ? {} : { account }).then(reload)}>
      <p>The present state of ${scope} goes: orders, files, webhooks, rules, settings, recorded requests and inboxes. Instead come${' '}
        ${counted(orders, 'order')} of ${instant(takenAt)}.</p><//>
    <${Ask} label="Delete" class="small danger" title=${`Delete ${name}?`} verb="Delete the snapshot"
      act=${() => call('DELETE', withQuery(path, { account })).then(reload)}>
      <p>The snapshot of ${scope} with ${counted(orders, 'order')} goes. The present state stays.</p><//></div>`;
}

/** @param {{info: any}} props */
function Server({ info }) {
  const { memory, journal } = info;
  const of = (/** @type {number | null} */ used, /** @type {number | null} */ max) => [used, max].filter((bytes) => bytes !== null).map(size).join(' of ');
  const number = (/** @type {number} */ count) => count.toLocaleString('en');
  return html`<${Card} title="Server"><${Facts} pairs=${[
    ['version', info.version],
    ['started', info.startedAt && `${instant(info.startedAt)}, ${duration(info.uptimeMs)} ago`],
    ['unknown keys', info.mode === 'strict' ? 'refused (mode strict)' : 'become accounts (mode open)'],
    ['data directory', html`<code>${info.dataDirectory}</code>${info.isTemporary && html`<p class="muted">temporary: goes when the server stops</p>`}`],
    ['memory', of(memory.residentBytes, memory.limitBytes)],
    ['journal', html`${counted(journal.requests, 'request')}, ${of(journal.bytes, journal.bytesMax)}, ${number(journal.evicted)} evicted
      <p class="muted">at most ${number(journal.requestsMax)} requests of each account</p>`],
    ['accounts, rules', `${info.accounts}, ${info.rules}`],
    ['open dashboards', info.streams],
  ]} /><//>`;
}
