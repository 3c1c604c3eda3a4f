// Traffic: every request as it comes, and one request beside it.

import { Empty, Icon, Menu, Status, AccountName, Time, Action } from './parts.js';
import { FIELD_NAMES, parseFilter } from './filter.js';
import { counted, duration } from './format.js';
import { FirstSteps } from './first-steps.js';
import { RequestDetail } from './request.js';
import { go, link, replace } from './router.js';
import { accountKey, clearRequests, hashOf, keyOf, rowKey, setPaused, state, useStore } from './store.js';
import { html, useEffect, useMemo, useRef } from './vendor/preact.js';
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
  const version = useStore((all) => all.rowsVersion);
  const open = (/** @type {RequestRow} */ row) => go(pathOf(row), { q: text });
  useKeys(rows, selected, open, text);
  if (!hasRows && !seq) return html`<${FirstSteps} />`;
  return html`<div class=${`split ${seq ? 'has-detail' : ''} ${isAll ? '' : 'one-account'}`}>
    <section class="list" aria-label="Requests">
      <${Toolbar} text=${text} count=${rows.length} />
      ${rows.length === 0
        ? html`<${Empty} title="No request matches"><p>The filter <code>${text}</code> hides all of them${accountKey() ? ', or this account has not called yet' : ''}.</p></${Empty}>`
        : html`<${VirtualList} label="Requests" rows=${rows} rowKey=${rowKey} selected=${selected} onOpen=${open} version=${version} columns=${8}
            isFollowing=${!isPaused && !seq} onFollow=${(/** @type {boolean} */ isFollowing) => setPaused(!isFollowing)}
            header=${html`<${HeaderCells} />`} render=${(/** @type {RequestRow} */ row, /** @type {number} */ index) => html`<${RowCells} row=${row} before=${rows[index - 1]} />`} />`}
    </section>
    ${seq && html`<section class="detail" aria-label="Request" key=${`${hash}/${seq}`}>
      <a class="back" href=${link(['traffic'], { q: text })}><${Icon} name="back" />Traffic</a>
      <${RequestDetail} account=${account} hash=${hash} seq=${Number(seq)} compareWith=${route.query.with} /></section>`}
  </div>`;
}

const COLUMNS = ['#', 'time', 'gap', 'operation', 'path', 'status', 'ms', 'rule'];

const HeaderCells = () => html`${COLUMNS.map((name) => html`<span key=${name} role="columnheader" class=${`cell-${name === '#' ? 'seq' : name}`}>${name}</span>`)}`;

/** @param {{row: RequestRow, before?: RequestRow}} props */
function RowCells({ row, before }) {
  const isAll = useStore((all) => all.accountHash === '');
  const gap = before ? Date.parse(row.receivedAt) - Date.parse(before.receivedAt) : null;
  return html`<span role="gridcell" class="cell-seq">${isAll ? html`<${AccountName} account=${row.account} hash=${hashOf(row.account)} />` : ''}<span class="muted number">${row.seq}</span></span>
    <span role="gridcell" class="cell-time"><${Time} at=${row.at} real=${row.receivedAt} /></span>
    <span role="gridcell" class="cell-gap muted">${gap === null || gap < 1 ? '' : `+${duration(gap)}`}</span>
    <span role="gridcell" class="cell-operation">${row.operation}</span>
    <span role="gridcell" class="cell-path" title=${row.query ? `${row.path}?${row.query}` : row.path}><b>${row.method}</b> ${row.path}</span>
    <span role="gridcell" class="cell-status"><${Status} status=${row.status} fault=${row.fault} /></span>
    <span role="gridcell" class="cell-ms">${row.durationMs ?? ''}</span>
    <span role="gridcell" class="cell-rule">${row.ruleId === null ? '' : html`<a href=${link(['rules', String(row.ruleId)])} onClick=${(/** @type {Event} */ event) => event.stopPropagation()}>rule ${row.ruleId}</a>`}</span>`;
}

/** @param {{text: string, count: number}} props */
function Toolbar({ text, count }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const isPaused = useStore((all) => all.isPaused);
  const waiting = useStore((all) => all.waiting.size);
  const evicted = useStore((all) => all.evicted);
  const skipped = useStore((all) => all.skipped);
  // The route follows the input. The input follows the route only while nobody types.
  useEffect(() => {
    if (input.current && document.activeElement !== input.current) input.current.value = text;
  }, [text]);
  const apply = (/** @type {string} */ value) => {
    if (input.current) input.current.value = value;
    replace(['traffic'], { q: value });
  };
  return html`<div class="toolbar">
    <label class="search"><${Icon} name="search" /><input type="search" id="filter" aria-label="Filter" placeholder="status:4xx operation:bizmori.* text" ref=${input}
      onInput=${(/** @type {any} */ event) => replace(['traffic'], { q: event.target.value })} /></label>
    <${Menu} label="Filter" class="filter-menu"><p class="muted">Words are found anywhere in a row. <code>-</code> before a word excludes it. Fields, with <code>*</code> and <code>?</code>:</p>
      <div class="row wrap">${FIELD_NAMES.map((name) => html`<button key=${name} type="button" class="button small" data-close onClick=${() => { apply(`${text} ${name}:`.trim()); input.current?.focus(); }}>${name}:</button>`)}</div>
      <div class="row wrap">${['status:4xx', 'status:5xx', 'status:pending', 'rule:*', 'operation:storage.*'].map((example) => html`<button key=${example} type="button" class="button small" data-close onClick=${() => apply(example)}>${example}</button>`)}</div><//>
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

/** Moves the selection by `j` and `k`. @param {RequestRow[]} rows @param {string | null} selected @param {(row: RequestRow) => void} open @param {string} text */
function useKeys(rows, selected, open, text) {
  useEffect(() => {
    const onMove = (/** @type {any} */ event) => {
      const index = selected === null ? rows.length : rows.findIndex((row) => rowKey(row) === selected);
      const next = rows[index + event.detail] ?? (selected === null ? rows.at(-1) : undefined);
      if (next) open(next);
    };
    addEventListener('dashboard-move', onMove);
    return () => removeEventListener('dashboard-move', onMove);
  }, [rows, selected, text]);
}

