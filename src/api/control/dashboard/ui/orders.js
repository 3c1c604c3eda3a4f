// Orders: those of both vendors in one list, and one order beside it.

import { get, withQuery } from './api.js';
import { JOB_NAMES } from './clock.js';
import { parseWords } from './filter.js';
import { VENDORS } from './first-steps.js';
import { counted, matchesGlob, relative } from './format.js';
import { OrderDetail } from './order.js';
import { OrderDialog } from './order-actions.js';
import { STATE_NAMES, STATES, stateLabel, TYPE_NAMES, VENDOR_NAMES } from './outcomes.js';
import { AccountName, Action, Countdown, Empty, Icon, Menu, Problem, Snippet, StateChip, useTick } from './parts.js';
import { go, link, replace } from './router.js';
import { makeSample, SAMPLES } from './sample.js';
import { accountKey, clockNow, hashOf, useFetched, useStore } from './store.js';
import { html, useEffect, useMemo, useState } from './vendor/preact.js';
import { VirtualList } from './virtual-list.js';

/** @typedef {import('./order-actions.js').Order} Order */
/** @typedef {{at: string, kind: string, orderId: string | null, clock: string}} Job */

/** Orders that the list has at most: the newest. */
const ORDERS_MAX = 1000;
/** Least time between two readings of the list while orders change. */
const PACE_MS = 800;
/** A reading waits for so many times the duration of the last one, so that a busy server is not read all the time. */
const PACE_FACTOR = 5;
const PACE_MS_MAX = 2000;

let readableAt = 0;

/** Reads the newest orders and the next jobs, at a pace that the server can keep. @param {string} path @param {AbortSignal} signal */
async function readPaced(path, signal) {
  const wait = readableAt - performance.now();
  if (wait > 0) await new Promise((resume) => setTimeout(resume, wait));
  const startedAt = performance.now();
  const [{ orders, next }, { jobs }] = await Promise.all([
    get(withQuery(path, { limit: ORDERS_MAX }), signal),
    get(withQuery(path.replace(/^orders/, 'jobs'), { limit: ORDERS_MAX }), signal),
  ]);
  const now = performance.now();
  readableAt = now + Math.min(PACE_MS_MAX, Math.max(PACE_MS, PACE_FACTOR * (now - startedAt)));
  /** @type {Map<string, Job>} */
  const due = new Map();
  for (const job of jobs) if (job.orderId !== null && !due.has(job.orderId)) due.set(job.orderId, job);
  /** Accounts with a clock of their own, which the clock in the top bar is not. @type {Set<string>} */
  const shifted = new Set(jobs.filter((/** @type {Job} */ job) => job.clock !== 'default').map((/** @type {Job} */ job) => job.clock));
  return { orders: orders.reverse(), hasMore: next !== null, due, shifted };
}

/** Fields that the filter can name. @type {Record<string, (order: Order, value: string) => boolean>} */
const FIELDS = {
  state: (order, value) => matchesGlob(value, order.status),
  type: (order, value) => matchesGlob(value, order.type),
  vendor: (order, value) => matchesGlob(value, order.vendor),
  file: (order, value) => order.fileNames.some((name) => matchesGlob(value, name)),
  id: (order, value) => matchesGlob(value, order.id),
};

/** @param {string} text */
const parseFilter = (text) => parseWords(text, FIELDS, (/** @type {Order} */ { id, name, type, status, account, vendor, fileNames, failure }) =>
  [id, name, type, status, account, vendor, failure?.code, failure?.message, ...fileNames]);

/** @param {{route: import('./router.js').Route}} props */
export function Orders({ route }) {
  const hash = useStore((all) => all.accountHash);
  const accounts = useStore((all) => all.accounts);
  const text = route.query.q ?? '';
  const [id] = route.parts;
  const key = accountKey();
  const path = hash && key === null ? null : withQuery('orders', { account: key });
  const { data, error } = useFetched(path, ['orders', 'deliveries', 'clock', 'accounts'], readPaced);
  /** @type {Order[]} */
  const shown = useMemo(() => (data?.orders ?? []).filter(parseFilter(text)), [data, text]);
  const [chosen, setChosen] = useState(/** @type {Set<string>} */ (new Set()));
  useEffect(() => setChosen(new Set()), [hash]);
  useMoves(shown, id, text);
  const open = (/** @type {Order} */ order) => go(['orders', order.id], { q: text });
  if (data && data.orders.length === 0 && !id) return html`<${NoOrders} />`;
  const selection = shown.filter((order) => chosen.has(order.id));
  const isAll = hash === '' && accounts.length > 1;
  return html`<div class=${`split orders ${isAll ? '' : 'one-account'} ${id ? 'has-detail' : ''}`}>
    <section class="list" aria-label="Orders">
      <${Toolbar} text=${text} />
      <${SelectionBar} selection=${selection} shown=${shown} hasMore=${data?.hasMore ?? false} onChoose=${setChosen} />
      ${error && html`<div class="pad"><${Problem} error=${error} /></div>`}
      ${data && shown.length === 0
        ? html`<${Empty} title="No order matches"><p>The filter <code>${text}</code> hides all of them.</p></${Empty}>`
        : html`<${VirtualList} label="Orders" rows=${shown} rowKey=${(/** @type {Order} */ order) => order.id} selected=${id ?? null} onOpen=${open}
          version=${0} columns=${9}
            isFollowing=${false} onFollow=${() => {}} header=${html`<${HeaderCells} shown=${shown} chosen=${chosen} onChoose=${setChosen} />`}
            render=${(/** @type {Order} */ order) => html`<${RowCells} order=${order} due=${data?.due.get(order.id) ?? endOf(order)} isAll=${isAll}
              isShifted=${isAll && (order.status === 'expired' || data?.shifted.has(order.account))}
              isChosen=${chosen.has(order.id)} onChoose=${() => setChosen(toggled(chosen, order.id))} />`} />`}
    </section>
    ${id && html`<section class="detail" aria-label="Order" key=${id}><a class="back" href=${link(['orders'], { q: text })}><${Icon} name="back" />Orders</a>
      <${OrderDetail} id=${id} /></section>`}
  </div>`;
}

/** The end of an order's retention, for an order whose next job is not among those that were read. @param {Order} order @returns {Job | undefined} */
const endOf = (order) => (order.status === 'expired' ? undefined : { at: order.expiresAt, kind: 'order.expire', orderId: order.id, clock: 'default' });

/** Returns the set with the entry added, or without it. @param {Set<string>} set @param {string} entry */
function toggled(set, entry) {
  const next = new Set(set);
  if (!next.delete(entry)) next.add(entry);
  return next;
}

/** Moves the selection by `j` and `k`. @param {Order[]} orders @param {string | undefined} id @param {string} text */
function useMoves(orders, id, text) {
  useEffect(() => {
    const onMove = (/** @type {any} */ event) => {
      const index = id === undefined ? -1 : orders.findIndex((order) => order.id === id);
      const next = orders[index < 0 ? 0 : index + event.detail];
      if (next) go(['orders', next.id], { q: text });
    };
    addEventListener('dashboard-move', onMove);
    return () => removeEventListener('dashboard-move', onMove);
  }, [orders, id, text]);
}

const COLUMNS = ['', 'order', 'account', 'vendor', 'type', 'files', 'state', 'age', 'next due'];

/** @param {{shown: Order[], chosen: Set<string>, onChoose: (ids: Set<string>) => void}} props */
function HeaderCells({ shown, chosen, onChoose }) {
  const count = shown.filter(({ id }) => chosen.has(id)).length;
  const isEvery = count > 0 && count === shown.length;
  return html`<span role="columnheader" class="cell-pick"><input type="checkbox" aria-label="Select all that are shown" checked=${isEvery}
    indeterminate=${count > 0 && !isEvery}
      onChange=${() => onChoose(isEvery ? new Set() : new Set(shown.map(({ id }) => id)))} /></span>
    ${COLUMNS.slice(1).map((name) => html`<span key=${name} role="columnheader" class=${`cell-${name.split(' ')[0]}`}>${name}</span>`)}`;
}

/** @param {{order: Order, due?: Job, isAll: boolean, isShifted: boolean, isChosen: boolean, onChoose: () => void}} props */
function RowCells({ order, due, isAll, isShifted, isChosen, onChoose }) {
  const files = order.fileNames.length === 1 ? order.fileNames[0] : `${order.fileNames.length} files`;
  const stop = (/** @type {Event} */ event) => event.stopPropagation();
  return html`<span role="gridcell" class="cell-pick" onClick=${stop}><label class="pick"><input type="checkbox" aria-label=${`Select order ${order.id}`}
    checked=${isChosen} onChange=${onChoose} /></label></span>
    <span role="gridcell" class="cell-order" title=${`${order.name}\n${order.id}`}><a href=${link(['orders', order.id])} tabindex="-1">${order.id}</a></span>
    <span role="gridcell" class="cell-account">${isAll && html`<${AccountName} account=${order.account} hash=${hashOf(order.account)} />`}</span>
    <span role="gridcell" class="cell-vendor muted">${VENDOR_NAMES[order.vendor] ?? order.vendor}</span>
    <span role="gridcell" class="cell-type">${TYPE_NAMES[order.type] ?? order.type}</span>
    <span role="gridcell" class="cell-files" title=${order.fileNames.slice(0, 20).join('\n')}>${files}</span>
    <span role="gridcell" class="cell-state"><${StateChip} state=${order.status} label=${stateLabel(order)} /></span>
    <span role="gridcell" class="cell-age muted"><${Age} at=${order.createdAt} isShifted=${isShifted} /></span>
    <span role="gridcell" class="cell-next muted">${due && html`${JOB_NAMES[due.kind] ?? due.kind} <${Due} job=${due} isShifted=${isShifted} />`}</span>`;
}

/** Time since the creation. An account with a clock of its own, beside others, shows the instant. @param {{at: string, isShifted: boolean}} props */
function Age({ at, isShifted }) {
  useTick(1000);
  const text = isShifted ? at.slice(0, 16).replace('T', ' ') : relative(Date.parse(at), clockNow()).replace(' ago', '');
  return html`<time datetime=${at} title=${`Created ${at} by the account's clock`}>${text}</time>`;
}

/** @param {{job: Job, isShifted: boolean}} props */
const Due = ({ job, isShifted }) => (isShifted
  ? html`<time datetime=${job.at} title="By the account's own clock">${job.at.slice(0, 16).replace('T', ' ')}</time>`
  : html`<${Countdown} at=${job.at} />`);

/** Returns the filter with another value of a field. @param {string} text @param {string} field @param {string} value */
function withField(text, field, value) {
  const others = text.split(/\s+/).filter((word) => word && !word.startsWith(`${field}:`));
  return (value ? [...others, `${field}:${value}`] : others).join(' ');
}

/** @param {{text: string}} props */
function Toolbar({ text }) {
  const [typed, setTyped] = useState(text);
  useEffect(() => setTyped(text), [text]);
  const apply = (/** @type {string} */ value) => {
    setTyped(value);
    replace(['orders'], { q: value });
  };
  const choice = (/** @type {string} */ field, /** @type {string} */ label, /** @type {[string, string][]} */ values) => html`<select aria-label=${label}
      value=${new RegExp(`(?:^|\\s)${field}:(\\S+)`).exec(typed)?.[1] ?? ''}
        onChange=${(/** @type {any} */ event) => apply(withField(typed, field, event.target.value))}>
      <option value="">${label}</option>${values.map(([value, name]) => html`<option key=${value} value=${value}>${name}</option>`)}</select>`;
  return html`<div class="toolbar">
    <label class="search"><${Icon} name="search" /><input type="search" aria-label="Filter" placeholder="state:failed file:cat* text" value=${typed}
      onInput=${(/** @type {any} */ event) => apply(event.target.value)} /></label>
    <div class="row choices-row">${choice('state', 'State', STATES.map((state) => [state, STATE_NAMES[state]]))}
      ${choice('type', 'Type', Object.entries(TYPE_NAMES))}${choice('vendor', 'Vendor', Object.entries(VENDOR_NAMES))}
      <${Menu} label="Sample" class="sample-menu" title="Make a sample order"><${Samples} /><//></div>
  </div>`;
}

/**
 * Count of the orders, and the actions on the selected ones.
 * @param {{selection: Order[], shown: Order[], hasMore: boolean, onChoose: (ids: Set<string>) => void}} props
 */
function SelectionBar({ selection, shown, hasMore, onChoose }) {
  // The dialog keeps its orders, also if they leave the list because their states change.
  const [action, setAction] = useState(/** @type {{verb: import('./order-actions.js').Verb, orders: Order[]} | null} */ (null));
  const done = (/** @type {Order[]} */ changed) => {
    setAction(null);
    onChoose(new Set());
    if (changed.length === 1) go(['orders', changed[0].id]);
  };
  const button = (/** @type {import('./order-actions.js').Verb} */ verb, /** @type {string} */ label) =>
    html`<button type="button" class="button small" onClick=${() => setAction({ verb, orders: selection })}>${label}…</button>`;
  return html`${selection.length === 0
    ? html`<div class="selection-bar muted">${counted(shown.length, 'order')}${hasMore ? `, of the newest ${ORDERS_MAX.toLocaleString('en')}` : ''}</div>`
    : html`<div class="selection-bar is-active" role="group" aria-label="Selected orders"><b>${selection.length} selected</b>
        ${button('complete', 'Complete')}${button('fail', 'Fail')}${button('expire', 'Expire')}
        <button type="button" class="button small quiet" onClick=${() => onChoose(new Set())}>Clear</button></div>`}
    ${action && html`<${OrderDialog} ...${action} onClose=${() => setAction(null)} onDone=${done} />`}`;
}

/** Makes a sample order and goes to it. @param {import('./sample.js').Sample} sample */
async function goToSample(sample) {
  const id = await makeSample(sample);
  document.querySelector('.sample-menu')?.removeAttribute('open');
  go(['orders', id]);
}

/** Buttons that make a sample order. */
const Samples = () => html`<div class="samples">${SAMPLES.map((sample, index) => html`<${Action} key=${sample.id} class=${index ? '' : 'primary'}
  label=${sample.name} act=${() => goToSample(sample)} />`)}</div>`;

const NoOrders = () => html`<div class="page narrow"><${Empty} title="No orders yet">
  <p>An order is what a client asks for: a detection, a protected picture, a watermark. This page will show each order with its states, files,
    pictures, requests and webhooks.</p>
  <p>Make a sample here. The page calls the vendor's own routes as your client does: create, upload to the presigned URL, start.</p>
  <${Samples} />
  <${Snippet} title="Or from a shell" text=${VENDORS.bizmori.create} /><//></div>`;
