// Traffic: every request as it comes, and one request beside it.

import { AccountName, Action, Empty, Icon, Menu, SearchInput, Status, Time } from './parts.js';
import { FIELD_NAMES, parseFilter } from './filter.js';
import { counted, duration } from './format.js';
import { FirstSteps } from './first-steps.js';
import { RequestDetail } from './request.js';
import { go, link, replace } from './router.js';
import { accountKey, clearRequests, hashOf, keyOf, rowKey, setPaused, state, useStore } from './store.js';
import { html, useMemo } from './vendor/preact.js';
import { VirtualList } from './virtual-list.js';

/** @typedef {import('./store.js').RequestRow} RequestRow */

/** Rows of the selected account that match the filter. @param {string} text @returns {RequestRow[]} */
function useRows(text) {
  const version = useStore((all) => all.rowsVersion);
  const hash = useStore((all) => all.accountHash);
  const accounts = useStore((all) => all.accounts);
  return useMemo(() => {
    const matches = parseFilter(text);
    const key = accountKey();
    return state.rows.filter((row) => (hash === '' || row.account === key) && matches(row));
  }, [version, hash, accounts, text]);
}

/** Route of a row. @param {RequestRow} row */
const pathOf = (row) => ['traffic', hashOf(row.account), String(row.seq)];

/** @param {{route: import('./router.js').Route}} props */
export function Traffic({ route }) {
  const text = route.query.q ?? '';
  const rows = useRows(text);
  const [hash, seq] = route.parts;
  const account = hash === '-' ? null : keyOf(hash ?? '');
  const selected = seq ? `${account ?? ''}/${seq}` : null;
  const isPaused = useStore((all) => all.isPaused);
  const isAll = useStore((all) => all.accountHash === '');
  const hasRows = useStore((all) => all.rows.length > 0);
  const open = (/** @type {RequestRow} */ row) => go(pathOf(row), { q: text });
  if (!hasRows && !seq) return html`<${FirstSteps} />`;
  return html`<div class=${`split ${seq ? 'has-detail' : ''} ${isAll ? '' : 'one-account'}`}>
    <section class="list" aria-label="Requests">
      <${Toolbar} text=${text} count=${rows.length} />
      ${rows.length === 0
        ? html`<${Empty} title="No request matches"><p>The filter <code>${text}</code> hides all of them${accountKey() ? ', or this account has not called yet' : ''}.</p></${Empty}>`
        : html`<${VirtualList} label="Requests" rows=${rows} rowKey=${rowKey} selected=${selected} onOpen=${open} columns=${columnsOf(rows, isAll)}
            isFollowing=${!isPaused && !seq} onFollow=${(/** @type {boolean} */ isFollowing) => setPaused(!isFollowing)} />`}
    </section>
    ${seq && html`<section class="detail" aria-label="Request" key=${`${hash}/${seq}`}>
      <a class="back" href=${link(['traffic'], { q: text })}><${Icon} name="back" />Traffic</a>
      <${RequestDetail} account=${account} hash=${hash} seq=${Number(seq)} compareWith=${route.query.with} /></section>`}
  </div>`;
}

/** Returns the cells of a list of requests. @param {RequestRow[]} rows @param {boolean} isAll @returns {import('./virtual-list.js').Column[]} */
const columnsOf = (rows, isAll) => [
  {
    name: 'seq',
    head: '#',
    cell: ({ account, seq }) => html`${isAll && html`<${AccountName} account=${account} hash=${hashOf(account)} />`}<span class="muted number">${seq}</span>`,
  },
  { name: 'time', cell: (row) => html`<${Time} at=${row.at} real=${row.receivedAt} />` },
  {
    name: 'gap',
    cell: ({ receivedAt }, index) => {
      const gap = index ? Date.parse(receivedAt) - Date.parse(rows[index - 1].receivedAt) : 0;
      return gap >= 1 && `+${duration(gap)}`;
    },
  },
  { name: 'operation', cell: ({ operation }) => operation },
  { name: 'path', title: ({ path, query }) => (query ? `${path}?${query}` : path), cell: ({ method, path }) => html`<b>${method}</b> ${path}` },
  { name: 'status', cell: ({ status, fault }) => html`<${Status} status=${status} fault=${fault} />` },
  { name: 'ms', cell: ({ durationMs }) => durationMs },
  { name: 'rule', cell: ({ ruleId }) => ruleId !== null && html`<a href=${link(['rules', String(ruleId)])}>rule ${ruleId}</a>` },
];

/** @param {{text: string, count: number}} props */
function Toolbar({ text, count }) {
  const isPaused = useStore((all) => all.isPaused);
  const waiting = useStore((all) => all.waiting.size);
  const evicted = useStore((all) => all.evicted);
  const skipped = useStore((all) => all.skipped);
  const apply = (/** @type {string} */ value) => replace(['traffic'], { q: value });
  const words = (/** @type {string[]} */ values, /** @type {(value: string) => void} */ act) => html`<div class="row wrap">${values.map((value) =>
    html`<button key=${value} type="button" class="button small" data-close onClick=${() => act(value)}>${value}</button>`)}</div>`;
  const begin = (/** @type {string} */ field) => {
    apply(`${text} ${field}`.trim());
    // The input takes the text from the route only while it has no focus.
    setTimeout(() => /** @type {HTMLElement | null} */ (document.querySelector('.search input'))?.focus(), 50);
  };
  return html`<div class="toolbar"><${SearchInput} text=${text} placeholder="status:4xx operation:bizmori.* text" onText=${apply} />
    <${Menu} label="Filter"><p class="muted">Words are found anywhere in a row. <code>-</code> before a word excludes it. Fields, with <code>*</code> and <code>?</code>:</p>
      ${words(FIELD_NAMES.map((name) => `${name}:`), begin)}
      ${words(['status:4xx', 'status:5xx', 'status:pending', 'rule:*', 'operation:storage.*'], apply)}<//>
    <button type="button" class="button" aria-pressed=${isPaused} onClick=${() => setPaused(!isPaused)} title="Hold new requests back (p)">
      <${Icon} name=${isPaused ? 'play' : 'pause'} />${isPaused ? (waiting ? `Show ${waiting} new` : 'Follow') : 'Pause'}</button>
    <span class="muted count">${counted(count, 'request')}${evicted ? `, ${evicted.toLocaleString('en')} evicted` : ''}${skipped ? html`<span title="They came faster than the page shows them. The journal has them."> , ${skipped.toLocaleString('en')} skipped</span>` : ''}</span>
    <${ClearButton} />
  </div>`;
}

function ClearButton() {
  const key = accountKey();
  return html`<${Action} class="quiet" label="Clear" title=${key ? `Removes the recorded requests of ${key}` : 'Removes all recorded requests, of all accounts'} act=${async () => { await clearRequests(key); go(['traffic']); }} />`;
}
