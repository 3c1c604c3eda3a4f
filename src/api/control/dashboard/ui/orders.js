// Orders: those of both vendors in one list, and beside it one order with its outcome, timeline, pictures, requests and deliveries.

import { call, get, withQuery } from './api.js';
import { JOB_NAMES } from './clock.js';
import { parseWords } from './filter.js';
import { VENDORS } from './first-steps.js';
import { counted, matchesGlob, relative } from './format.js';
import { isOpen, makeSample, OrderActions, SAMPLES, STATE_NAMES, stateLabel, TYPE_NAMES } from './order-actions.js';
import { AccountName, Action, Copy, Countdown, Empty, Facts, Fold, Icon, Menu, Problem, SearchInput, Snippet, StateChip, Status, Time, useTick } from './parts.js';
import { Files, Outcome } from './pictures.js';
import { go, link, replace } from './router.js';
import { accountKey, clockNow, hashOf, state, useFetched, useStore } from './store.js';
import { Timeline } from './timeline.js';
import { html, useCallback, useEffect, useMemo, useState } from './vendor/preact.js';
import { VirtualList } from './virtual-list.js';

/** @typedef {import('./store.js').RequestRow} RequestRow */
/** @typedef {import('./order-actions.js').Order} Order */
/** @typedef {{at: string, kind: string, orderId: string | null, clock: string}} Job */

/** Orders that the list has at most: the newest. */
const ORDERS_MAX = 1000;

/** Reads the newest orders and the next jobs. @param {string} path @param {AbortSignal} signal */
async function readOrders(path, signal) {
  const read = (/** @type {string} */ listing) => get(withQuery(listing, { limit: ORDERS_MAX }), signal);
  const [{ orders, next }, { jobs }] = await Promise.all([read(path), read(path.replace('orders', 'jobs'))]);
  /** @type {Map<string, Job>} */
  const due = new Map();
  for (const job of jobs) if (!due.has(job.orderId)) due.set(job.orderId, job);
  /** Accounts with a clock of their own, which the clock in the top bar is not. @type {Set<string>} */
  const shifted = new Set(jobs.map((/** @type {Job} */ { clock }) => clock));
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

/** Texts of an order that a word of the filter can be in. @param {Order} order */
const textsOf = ({ id, name, type, status, account, vendor, fileNames, failure }) =>
  [id, name, type, status, account, vendor, failure?.code, failure?.message, ...fileNames];

/** @param {{route: import('./router.js').Route}} props */
export function Orders({ route }) {
  const hash = useStore((all) => all.accountHash);
  const accounts = useStore((all) => all.accounts);
  const { q: text = '' } = route.query;
  const [id] = route.parts;
  const key = accountKey();
  const { data, error } = useFetched(hash && key === null ? null : withQuery('orders', { account: key }),
    ['orders', 'deliveries', 'clock', 'accounts'], readOrders);
  /** @type {Order[]} */
  const shown = useMemo(() => (data?.orders ?? []).filter(parseWords(text, FIELDS, textsOf)), [data, text]);
  const [chosen, setChosen] = useState(/** @type {Set<string>} */ (new Set()));
  useEffect(() => setChosen(new Set()), [hash]);
  if (data?.orders.length === 0 && !id) return html`<${NoOrders} />`;
  const selection = shown.filter((order) => chosen.has(order.id));
  const isAll = hash === '' && accounts.length > 1;
  const done = (/** @type {Order[]} */ changed) => {
    setChosen(new Set());
    if (changed.length === 1) go(['orders', changed[0].id]);
  };
  return html`<div class=${`split orders ${isAll ? '' : 'one-account'} ${id ? 'has-detail' : ''}`}>
    <section class="list" aria-label="Orders">
      <${Toolbar} text=${text} />
      <div class="selection-bar row wrap ${selection.length ? 'is-active' : 'muted'}">${selection.length
        ? html`<b>${selection.length} selected</b><${OrderActions} orders=${selection} onDone=${done} />
          <button type="button" class="button small quiet" onClick=${() => done([])}>Clear</button>`
        : `${counted(shown.length, 'order')}${data?.hasMore ? `, of the newest ${ORDERS_MAX}` : ''}`}</div>
      ${error && html`<div class="pad"><${Problem} error=${error} /></div>`}
      ${data && shown.length === 0
        ? html`<${Empty} title="No order matches"><p>The filter <code>${text}</code> hides all of them.</p><//>`
        : html`<${VirtualList} label="Orders" rows=${shown} rowKey=${(/** @type {Order} */ order) => order.id} selected=${id ?? null}
            onOpen=${(/** @type {Order} */ order) => go(['orders', order.id], { q: text })}
            columns=${columnsOf({ data, text, isAll, shown, selection, chosen, setChosen })} />`}
    </section>
    ${id && html`<section class="detail" aria-label="Order" key=${id}><a class="back" href=${link(['orders'], { q: text })}><${Icon} name="back" />Orders</a>
      <${OrderDetail} id=${id} /></section>`}
  </div>`;
}

/** Cells of the list. @param {any} list @returns {import('./virtual-list.js').Column[]} */
function columnsOf({ data, text, isAll, shown, selection, chosen, setChosen }) {
  const isEvery = selection.length > 0 && selection.length === shown.length;
  const check = (/** @type {any} */ props) => html`<label class="pick"><input type="checkbox" ...${props} /></label>`;
  const toggle = (/** @type {string} */ id) => setChosen(chosen.has(id) ? new Set([...chosen].filter((other) => other !== id)) : new Set([...chosen, id]));
  const isShifted = (/** @type {Order} */ { status, account }) => isAll && (status === 'expired' || data.shifted.has(account));
  // The end of the retention stands for a next job that is not among those that were read.
  const dueOf = (/** @type {Order} */ { id, status, expiresAt }) =>
    data.due.get(id) ?? (status !== 'expired' && { at: expiresAt, kind: 'order.expire' });
  return [
    {
      name: 'pick',
      head: check({
        'aria-label': 'Select all that are shown',
        checked: isEvery,
        indeterminate: selection.length > 0 && !isEvery,
        onChange: () => setChosen(new Set(isEvery ? [] : shown.map((/** @type {Order} */ { id }) => id))),
      }),
      cell: ({ id }) => check({ 'aria-label': `Select order ${id}`, checked: chosen.has(id), onChange: () => toggle(id) }),
    },
    { name: 'order', title: ({ name }) => name, cell: ({ id }) => html`<a href=${link(['orders', id], { q: text })} tabindex="-1">${id}</a>` },
    { name: 'account', cell: ({ account }) => isAll && html`<${AccountName} account=${account} hash=${hashOf(account)} />` },
    { name: 'vendor', cell: ({ vendor }) => VENDORS[vendor].name },
    { name: 'type', cell: ({ type }) => TYPE_NAMES[type] },
    {
      name: 'files',
      title: ({ fileNames }) => fileNames.slice(0, 20).join('\n'),
      cell: ({ fileNames }) => (fileNames.length === 1 ? fileNames[0] : `${fileNames.length} files`),
    },
    { name: 'state', cell: (order) => html`<${StateChip} state=${order.status} label=${stateLabel(order)} />` },
    { name: 'age', cell: (order) => html`<${Instant} at=${order.createdAt} isShifted=${isShifted(order)} isAge=${true} />` },
    {
      name: 'next due',
      cell: (order) => {
        const due = dueOf(order);
        return due && html`${JOB_NAMES[due.kind] ?? due.kind} <${Instant} at=${due.at} isShifted=${isShifted(order)} />`;
      },
    },
  ];
}

/** Time since, or until, an instant. An account with a clock of its own, beside others, shows the instant. @param {any} props */
function Instant({ at, isShifted, isAge }) {
  useTick(1000);
  if (!isShifted && !isAge) return html`<${Countdown} at=${at} />`;
  const text = isShifted ? at.slice(0, 16).replace('T', ' ') : relative(Date.parse(at), clockNow()).replace(' ago', '');
  return html`<time datetime=${at} title=${`${at} by the account's clock`}>${text}</time>`;
}

/** @param {{text: string}} props */
function Toolbar({ text }) {
  const apply = (/** @type {string} */ q) => replace(['orders'], { q });
  const choice = (/** @type {string} */ field, /** @type {string} */ label, /** @type {[string, string][]} */ values) => html`<select aria-label=${label}
    value=${new RegExp(`(?:^|\\s)${field}:(\\S+)`).exec(text)?.[1] ?? ''} onChange=${(/** @type {any} */ { target }) => apply(
      [...text.split(/\s+/).filter((word) => !word.startsWith(`${field}:`)), target.value && `${field}:${target.value}`].join(' ').trim())}>
    <option value="">${label}</option>${values.map(([value, name]) => html`<option key=${value} value=${value}>${name}</option>`)}</select>`;
  return html`<div class="toolbar"><${SearchInput} text=${text} placeholder="state:failed file:cat* text" onText=${apply} />
    <div class="row choices-row">${choice('state', 'State', Object.entries(STATE_NAMES))}${choice('type', 'Type', Object.entries(TYPE_NAMES))}
      ${choice('vendor', 'Vendor', Object.entries(VENDORS).map(([id, { name }]) => [id, name]))}
      <${Menu} label="Sample" class="sample-menu" title="Make a sample order"><${Samples} /><//></div>
  </div>`;
}

/** Buttons that make a sample order and go to it. */
const Samples = () => html`<div class="samples">${SAMPLES.map(([name, make], index) => html`<${Action} key=${name} class=${index ? '' : 'primary'} label=${name}
  act=${async () => {
    const id = await makeSample(make);
    document.querySelector('.sample-menu')?.removeAttribute('open');
    go(['orders', id]);
  }} />`)}</div>`;

const NoOrders = () => html`<div class="page narrow"><${Empty} title="No orders yet">
  <p>An order is what a client asks for: a detection, a protected picture, a watermark. This page will show each order with its states, files,
    pictures, requests and webhooks.</p>
  <p>Make a sample here. The page calls the vendor's own routes as your client does: create, upload to the presigned URL, start.</p>
  <${Samples} />
  <${Snippet} title="Or from a shell" text=${VENDORS.bizmori.create} /><//></div>`;

/** Requests that the list shows: the last ones. */
const REQUESTS_SHOWN = 40;

/** @param {string} path @param {AbortSignal} signal */
const readClock = async (path, signal) => ({ ...(await get(path, signal)), readAt: performance.now() });

/** Clock of an order's account, which the top bar shows only if that account is selected. @param {string | null} account */
function useClockOf(account) {
  const { data, error } = useFetched(account === null ? null : withQuery('clock', { account }), ['clock', 'orders', 'deliveries'], readClock);
  const isFrozen = data?.mode === 'frozen';
  const now = useCallback(() => (data ? Date.parse(data.now) + (isFrozen ? 0 : performance.now() - data.readAt) : clockNow()), [data]);
  return { now, isFrozen, isKnown: Boolean(data || error) };
}

/**
 * Recorded requests about an order: those that the journal has, and those that come.
 * @param {string} id @param {string | null} account @param {number[]} seqs @returns {RequestRow[]}
 */
function useRequests(id, account, seqs) {
  const path = account === null ? null : withQuery('requests', { account, orderId: id, rows: true, limit: 1000 });
  const { data } = useFetched(path);
  const known = useMemo(() => new Set(seqs), [seqs.join()]);
  const isAbout = (/** @type {RequestRow} */ row) => row.account === account && (row.orderId === id || known.has(row.seq));
  // The page renders again only if one of these rows changes, however many others come.
  const version = useStore((all) => all.rows.filter(isAbout).map(({ revision }) => revision).join());
  return useMemo(() => {
    /** @type {RequestRow[]} */
    const rows = [...(data?.requests ?? []), ...state.rows.filter(isAbout)];
    return [...new Map(rows.map((row) => [row.seq, row])).values()].sort((a, b) => a.seq - b.seq);
  }, [data, version, known]);
}

/** @param {{id: string}} props */
function OrderDetail({ id }) {
  const { data, error } = useFetched(`orders/${encodeURIComponent(id)}`, ['orders', 'deliveries']);
  const account = data?.account ?? null;
  const clock = useClockOf(account);
  const rows = useRequests(id, account, data?.requests ?? []);
  if (error && !data) return html`<div class="pad">${error.status === 404 ? html`<h2>There is no order ${id}</h2>
    <p class="muted">It was removed with its account, or by a reset.</p>` : html`<${Problem} error=${error} />`}</div>`;
  if (!data) return html`<p class="muted pad">Reading…</p>`;
  return html`<article class="order">
    <${Head} order=${data} />
    <${Result} order=${data} />
    ${clock.isKnown && html`<${Timeline} order=${data} rows=${rows} now=${clock.now} isFrozen=${clock.isFrozen} />`}
    <${Fold} title="Files and outputs" note=${counted(data.files.length, 'file')}><${Files} order=${data} /></${Fold}>
    <${Fold} title="Requests" note=${rows.length}><${Requests} id=${id} rows=${rows} /></${Fold}>
    <${Fold} title="Webhook deliveries" note=${counted(data.deliveries.length, 'attempt')}><${Deliveries} order=${data} /></${Fold}>
    <${Fold} title="Facts" open=${false}><${OrderFacts} order=${data} /></${Fold}>
  </article>`;
}

/** @param {{order: any}} props */
const Head = ({ order }) => html`<header class="detail-head">
  <div class="title"><${StateChip} state=${order.status} label=${stateLabel(order)} /><h2>${TYPE_NAMES[order.type]}</h2>
    <span class="muted clip" title=${order.name}>${order.name}</span></div>
  <p class="meta"><${AccountName} account=${order.account} hash=${hashOf(order.account)} /><span>${VENDORS[order.vendor].name} ${order.api}</span>
    <span>created <${Time} at=${order.createdAt} /></span><code>${order.id}</code></p>
  <div class="row wrap">
    ${stateLabel(order) === 'held' && html`<${Action} class="small primary" label="Release" title="Completes the held order, with the usual outcome"
      act=${() => call('POST', `orders/${order.id}/complete`)} />`}
    <${OrderActions} orders=${[order]} />
    <a class="button small" href=${link(['rules', 'new'], { from: `order:${order.id}` })} title="Makes a rule for the next order with this file name">Again with…</a>
    <${Copy} label="Copy id" text=${order.id} />
  </div>
</header>`;

/** Outcome of the order, or what it waits for. @param {{order: any}} props */
function Result({ order }) {
  const { outcome, status } = order;
  const text = waitingFor(order);
  if (!text && (!outcome || outcome.kind === 'outputs' || outcome.kind === 'bulk')) return null;
  return html`<div class="reason ${status === 'failed' ? 'server' : 'plain'}">${text ? html`<p>${text}</p>`
    : html`<${Outcome} outcome=${outcome} vendor=${order.vendor} />`}</div>`;
}

/** @param {any} order */
function waitingFor({ status, files, type, processing }) {
  if (status === 'inProgress' && processing === 'hold') return 'A rule holds it until it is released, completed or failed.';
  if (status === 'inProgress' && processing?.polls !== undefined) return `A rule keeps it in progress for ${counted(processing.polls, 'more read', 'more reads')}.`;
  if (status !== 'pending') return '';
  const missing = files.filter((/** @type {any} */ file) => file.bytes === null).length;
  if (missing) return `Waits for the client: ${missing} of ${counted(files.length, 'file')} not uploaded.`;
  return `All files are uploaded${type.startsWith('watermark') ? '' : '; the confirm is still to come'}.`;
}

/** Line of a request or delivery. @param {any} props */
const Line = ({ href, title, number, at, real, text, chip, ms }) => html`<li><a href=${href} title=${title}>
  <span class="muted number">${number}</span><${Time} at=${at} real=${real} /><span class="clip">${text}</span>${chip}
  <span class="muted number">${ms !== null && `${ms} ms`}</span></a></li>`;

/** @param {{id: string, rows: RequestRow[]}} props */
const Requests = ({ id, rows }) => (rows.length ? html`<ul class="about">${rows.slice(-REQUESTS_SHOWN).map((row) => html`<${Line} key=${row.seq}
    href=${link(['traffic', hashOf(row.account), String(row.seq)])} number=${row.seq} at=${row.at} real=${row.receivedAt} text=${row.operation}
    chip=${html`<${Status} status=${row.status} fault=${row.fault} />`} ms=${row.durationMs} />`)}</ul>
    <p class="muted">${rows.length > REQUESTS_SHOWN ? `The last ${REQUESTS_SHOWN} of ${rows.length}. ` : ''}
      <a href=${link(['traffic'], { q: `order:${id}` })}>Show them in Traffic</a></p>`
  : html`<p class="muted">The journal has no request about it.</p>`);

/** @param {{order: any}} props */
const Deliveries = ({ order }) => (order.deliveries.length
  ? html`<ul class="about">${order.deliveries.map((/** @type {any} */ attempt, /** @type {number} */ index) => html`<${Line} key=${index}
    href=${link(['webhooks', String(attempt.id)])} title=${attempt.error} number=${attempt.attempt} at=${attempt.at} ms=${attempt.durationMs}
    text=${html`${attempt.eventType} <span class="muted">→ ${attempt.url}</span>`}
    chip=${html`<${Status} status=${attempt.status} fault=${attempt.status === null && 'no response'} />`} />`)}</ul>`
  : html`<p class="muted">${isOpen(order) ? 'Webhooks are sent when the order ends.' : 'No webhook was sent about it: the account had no endpoint for it.'}
    <a href=${link(['webhooks'])}>Webhooks</a></p>`);

/** @param {{order: any}} props */
const OrderFacts = ({ order }) => html`<${Facts} pairs=${[
  ...['id', 'name', 'account', 'createdAt', 'updatedAt', 'expiresAt'].map((name) => [name.replace(/At$/, ''), order[name]]),
  ['processing', order.processing && JSON.stringify(order.processing)],
  ['failure', order.failure && `${order.failure.code}: ${order.failure.message}`],
  ['states', html`<ul>${order.history.map((/** @type {any} */ { at, to, by }, /** @type {number} */ index) =>
    html`<li key=${index}>${at} <b>${to}</b> by ${JOB_NAMES[by] ? `${JOB_NAMES[by]} (${by})` : by}</li>`)}</ul>`],
]} />`;
