// State: settings of the account, snapshots, reset, export, and facts on the server.

import { call, getAll, send, withQuery } from './api.js';
import { switchAccount } from './accounts.js';
import { AccountForm } from './account-form.js';
import { counted, duration, instant, size } from './format.js';
import { AccountName, Action, Dialog, Facts, Problem, StateChip } from './parts.js';
import { accountKey, hashOf, useFetched, useStore } from './store.js';
import { html, useState } from './vendor/preact.js';

/** Accounts that the list shows. */
const ACCOUNTS_MAX = 200;

export function State() {
  const hash = useStore((all) => all.accountHash);
  const accounts = useStore((all) => all.accounts);
  const account = accounts.find((one) => one.hash === hash);
  const info = useFetched(withQuery('info', { account: account?.key }), ['orders', 'deliveries', 'rules', 'accounts']);
  return html`<div class="page state">
    <header><h2>State</h2>${account && html`<${AccountName} account=${account.key} hash=${account.hash} full />`}<span class="spacer"></span>
      <${Export} account=${account?.key ?? null} /><${Reset} account=${account?.key ?? null} info=${info.data} /></header>
    <${Problem} error=${info.error} />
    <div class="columns">
      <div>${account ? html`<${AccountForm} key=${account.key} account=${account} />` : html`<${Accounts} accounts=${accounts} />`}<${Snapshots}
        account=${account?.key ?? null} /></div>
      <div>${info.data && html`<${Server} info=${info.data} />`}</div>
    </div>
  </div>`;
}

/** @param {{accounts: import('./store.js').Account[]}} props */
function Accounts({ accounts }) {
  const [key, setKey] = useState('');
  const add = async () => {
    await call('PUT', `accounts/${encodeURIComponent(key)}`, {});
    const all = await getAll('accounts', 'accounts');
    const { hash } = all.find((account) => account.key === key) ?? { hash: '' };
    setKey('');
    if (hash) switchAccount(hash);
  };
  const newest = [...accounts].sort((a, b) => (b.createdAt ?? '').localeCompare(a.createdAt ?? ''));
  return html`<section class="card"><header><h3>Accounts</h3><span class="muted">${counted(accounts.length, 'account')}</span></header>
    ${accounts.length === 0 ? html`<p class="muted">None yet. Any word is an API key; its first use makes the account.</p>` : html`<div class="table-box">
      <table><thead><tr><th>Key</th><th>Plan</th><th class="optional">Credits</th><th>State</th><th class="optional">Created</th></tr></thead>
      <tbody>${newest.slice(0, ACCOUNTS_MAX).map((account) => html`<tr key=${account.key} class="link" onClick=${() => switchAccount(account.hash)}>
        <td><button type="button" class="as-link" onClick=${() => switchAccount(account.hash)}><${AccountName} account=${account.key}
          hash=${account.hash} /></button></td>
        <td>${account.requestsPerMinute === null ? account.plan : `${account.requestsPerMinute} a minute`}</td><td class="optional">
          ${account.credits === null ? 'unlimited' : account.credits.toLocaleString('en')}</td>
        <td>${account.state === 'active' ? 'active' : html`<${StateChip} state="failed" label=${account.state} />`}</td><td class="muted optional">
          ${account.createdAt ? instant(account.createdAt) : ''}</td></tr>`)}</tbody></table></div>`}
    ${accounts.length > ACCOUNTS_MAX && html`<p class="muted">${accounts.length - ACCOUNTS_MAX} more: find them by the switcher in the top bar.</p>`}
    <div class="row new"><input type="text" aria-label="Key of a new account" placeholder="Key of a new account" value=${key}
      onInput=${(/** @type {any} */ event) => setKey(event.target.value)} /><${Action} label="Set it up" isDisabled=${!key} act=${add} /></div>
  </section>`;
}

/** Downloads the fixtures of the account. @param {{account: string | null}} props */
function Export({ account }) {
  const save = async () => {
    const response = await send(withQuery('fixtures', { account }));
    if (!response.ok) throw (await response.json()).error;
    const url = URL.createObjectURL(await response.blob());
    const anchor = document.createElement('a');
    Object.assign(anchor, { href: url, download: `fixtures-${hashOf(account)}.json` });
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  };
  return html`<${Action} label="Export as fixtures" isDisabled=${account === null} act=${save}
    title=${account === null ? 'Select an account first' : 'Webhooks, rules and finished orders of the account, for --fixtures and stuntdouble fixtures load'} />`;
}

/** Button and dialog of a reset. @param {{account: string | null, info: any}} props */
function Reset({ account, info }) {
  const [isAsking, setAsking] = useState(false);
  return html`<button type="button" class="button danger" onClick=${() => setAsking(true)}>
    ${account === null ? 'Reset everything' : 'Reset the account'}</button>
    ${isAsking && html`<${ResetDialog} account=${account} info=${info} onClose=${() => setAsking(false)} />`}`;
}

/** @param {{account: string | null, info: any, onClose: () => void}} props */
function ResetDialog({ account, info, onClose }) {
  const { data } = useFetched('rules?limit=1000');
  const reset = async () => {
    await call('POST', 'reset', account === null ? {} : { account });
    onClose();
    switchAccount('');
  };
  const orders = Object.values(info?.orders ?? {}).reduce((sum, count) => sum + Number(count), 0);
  const rules = account === null ? info?.rules : (data?.rules ?? []).filter((/** @type {any} */ rule) => rule.account === account).length;
  const waiting = (info?.orders?.pending ?? 0) + (info?.orders?.inProgress ?? 0);
  return html`<${Dialog} title=${account === null ? 'Reset everything?' : `Reset ${account}?`} onClose=${onClose}>
    <p>This goes, and cannot be brought back but from a snapshot:</p>
    <ul class="goes">
      ${account === null ? html`<li>${counted(info?.accounts ?? 0, 'account')}, with clocks and webhooks</li>`
        : html`<li>the account with its settings, clock and webhooks</li>`}
      <li>${counted(orders, 'order')} with files${waiting ? `, ${waiting.toLocaleString('en')} of them not done` : ''}</li>
      <li>${counted(rules ?? 0, 'rule')}${account === null ? '' : ' that name the account'}</li>
      <li>${account === null ? `${counted(info?.journal?.requests ?? 0, 'recorded request')}, all inboxes` : 'its recorded requests and inboxes'}</li>
    </ul>
    <p class="muted">Snapshots stay.${account === null ? ' The default clock shows the real time again.' : ' Other accounts stay as they are.'}</p>
    <div class="row"><${Action} class="danger" label=${account === null ? 'Reset everything' : 'Reset the account'} act=${reset} /><button type="button"
      class="button" onClick=${onClose}>Cancel</button></div><//>`;
}

/** @typedef {{name: string, account: string | null, takenAt: string, accounts: number, orders: number, bytes: number}} Snapshot */

/** @param {{account: string | null}} props */
function Snapshots({ account }) {
  const { data, error, reload } = useFetched(withQuery('snapshots', { account }), ['accounts']);
  const [name, setName] = useState('');
  const [asked, setAsked] = useState(/** @type {{snapshot: Snapshot, isRestore: boolean} | null} */ (null));
  const take = async () => {
    await call('PUT', `snapshots/${encodeURIComponent(name)}`, account === null ? {} : { account });
    setName('');
    reload();
  };
  const snapshots = /** @type {Snapshot[]} */ (data?.snapshots ?? []);
  return html`<section class="card"><header><h3>Snapshots</h3><span class="muted">
    ${account === null ? 'of everything, and of single accounts' : 'of this account'}</span></header>
    <${Problem} error=${error} />
    ${snapshots.length === 0 ? html`<p class="muted">None. A snapshot keeps orders, files, webhooks, rules, clocks and settings; restore it before each test.</p>`
      : html`<div class="table-box"><table><thead><tr><th>Name</th>${account === null && html`<th>Of</th>`}
        <th class="optional">Orders</th><th class="optional">Size</th><th class="optional">Taken</th><th><span class="sr">Actions</span></th></tr></thead>
      <tbody>${snapshots.map((snapshot) => html`<tr key=${`${snapshot.account}/${snapshot.name}`}><td><b>${snapshot.name}</b></td>
        ${account === null && html`<td>${snapshot.account === null ? `everything, ${counted(snapshot.accounts, 'account')}` : html`<${AccountName}
          account=${snapshot.account} hash=${hashOf(snapshot.account)} />`}</td>`}
        <td class="number optional">${snapshot.orders.toLocaleString('en')}</td><td class="number optional">${size(snapshot.bytes)}</td>
          <td class="muted optional">${instant(snapshot.takenAt)}</td>
        <td><div class="row"><button type="button" class="button small" onClick=${() => setAsked({ snapshot, isRestore: true })}>Restore</button>
          <button type="button" class="button small danger" onClick=${() => setAsked({ snapshot, isRestore: false })}>Delete</button></div></td></tr>`)}</tbody></table></div>`}
    <div class="row new"><input type="text" aria-label="Name of a new snapshot" placeholder="Name" maxlength="100" value=${name}
      onInput=${(/** @type {any} */ event) => setName(event.target.value)} />
      <${Action} label=${account === null ? 'Take a snapshot of everything' : 'Take a snapshot'} isDisabled=${!name} act=${take} /></div>
    ${asked && html`<${SnapshotDialog} ...${asked} onClose=${() => setAsked(null)} onDone=${() => { setAsked(null); reload(); }} />`}
  </section>`;
}

/** @param {{snapshot: Snapshot, isRestore: boolean, onClose: () => void, onDone: () => void}} props */
function SnapshotDialog({ snapshot, isRestore, onClose, onDone }) {
  const { name, account } = snapshot;
  const path = `snapshots/${encodeURIComponent(name)}`;
  const run = async () => {
    if (isRestore) await call('POST', `${path}/restore`, account === null ? {} : { account });
    else await call('DELETE', withQuery(path, { account }));
    onDone();
  };
  const whose = account === null ? 'everything' : `the account ${account}`;
  return html`<${Dialog} title=${`${isRestore ? 'Restore' : 'Delete'} ${name}?`} onClose=${onClose}>
    <p>${isRestore ? `The present state of ${whose} goes: orders, files, webhooks, rules, settings, recorded requests and inboxes.
      Instead come ${counted(snapshot.orders, 'order')} of ${instant(snapshot.takenAt)}.`
      : `The snapshot of ${whose} with ${counted(snapshot.orders, 'order')} goes. The present state stays.`}</p>
    <div class="row"><${Action} class=${isRestore ? 'primary' : 'danger'} label=${isRestore ? 'Restore' : 'Delete the snapshot'} act=${run} />
      <button type="button" class="button" onClick=${onClose}>Cancel</button></div><//>`;
}

/** @param {{info: any}} props */
function Server({ info }) {
  const { memory, journal } = info;
  const evicted = journal.evicted ? `, ${journal.evicted.toLocaleString('en')} evicted` : '';
  const kept = `${counted(journal.requests, 'request')}, ${size(journal.bytes)} of ${size(journal.bytesMax)}${evicted}`;
  return html`<section class="card"><header><h3>Server</h3></header><${Facts} pairs=${[
    ['version', info.version],
    ['started', info.startedAt && html`<span title=${info.startedAt}>${instant(info.startedAt)}, ${duration(info.uptimeMs)} ago</span>`],
    ['unknown keys', info.mode === 'strict' ? 'refused (mode strict)' : 'become accounts (mode open)'],
    ['data directory', html`<code>${info.dataDirectory}</code>${info.isTemporary && html`<p class="muted">temporary: goes when the server stops</p>`}`],
    ['memory', memory?.residentBytes && `${size(memory.residentBytes)}${memory.limitBytes ? ` of ${size(memory.limitBytes)}` : ''}`],
    ['journal', html`${kept}<p class="muted">at most ${journal.requestsMax.toLocaleString('en')} requests of each account</p>`],
    ['accounts, rules', `${info.accounts}, ${info.rules}`],
    ['open dashboards', info.streams],
  ]} /></section>`;
}
