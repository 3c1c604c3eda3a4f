// One order: its state and outcome, timeline, pictures, requests, deliveries, and the actions on it.

import { call, get, withQuery } from './api.js';
import { JOB_NAMES } from './clock.js';
import { VENDORS } from './first-steps.js';
import { counted } from './format.js';
import { isOpen, OrderActions, stateLabel, TYPE_NAMES } from './order-actions.js';
import { AccountName, Action, Copy, Facts, Fold, Problem, StateChip, Status, Time } from './parts.js';
import { Files, Outcome } from './pictures.js';
import { link } from './router.js';
import { clockNow, hashOf, state, useFetched, useStore } from './store.js';
import { Timeline } from './timeline.js';
import { html, useCallback, useMemo } from './vendor/preact.js';

/** @typedef {import('./store.js').RequestRow} RequestRow */

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
export function OrderDetail({ id }) {
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
      act=${() => call('POST', `orders/${encodeURIComponent(order.id)}/complete`)} />`}
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
