// One order: its state and outcome, timeline, pictures, requests, deliveries, and the actions on it.

import { CallError, call, get, withQuery } from './api.js';
import { JOB_NAMES } from './clock.js';
import { counted, relative } from './format.js';
import { isOpen, OrderDialog } from './order-actions.js';
import { stateLabel, TYPE_NAMES, VENDOR_NAMES } from './outcomes.js';
import { AccountName, Action, Copy, Countdown, Facts, Fold, Problem, StateChip, Status, Time, useTick } from './parts.js';
import { Files } from './pictures.js';
import { link } from './router.js';
import { clockNow, hashOf, state, useFetched, useStore } from './store.js';
import { dueOf, Timeline } from './timeline.js';
import { html, useCallback, useMemo, useState } from './vendor/preact.js';
import { Outcome } from './verdict.js';

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
  const version = useStore((all) => {
    let [count, revision] = [0, 0];
    for (const row of all.rows) {
      if (!isAbout(row)) continue;
      count++;
      revision = Math.max(revision, row.revision);
    }
    return `${count}/${revision}`;
  });
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
    ${clock.isKnown && html`<${Timeline} order=${data} rows=${rows} now=${clock.now} isFrozen=${clock.isFrozen} />
      <${DueList} order=${data} now=${clock.now} />`}
    <${Fold} title="Files and outputs" note=${counted(data.files.length, 'file')}><${Files} order=${data} /></${Fold}>
    <${Fold} title="Requests" note=${rows.length}><${Requests} id=${id} rows=${rows} /></${Fold}>
    <${Fold} title="Webhook deliveries" note=${counted(data.deliveries.length, 'attempt')}><${Deliveries} order=${data} /></${Fold}>
    <${Fold} title="Facts" open=${false}><${OrderFacts} order=${data} /></${Fold}>
  </article>`;
}

/** @param {{order: any}} props */
function Head({ order }) {
  const [verb, setVerb] = useState(/** @type {import('./order-actions.js').Verb | null} */ (null));
  const isHeld = order.status === 'inProgress' && order.processing === 'hold';
  const version = order.api ? ` ${order.api}` : '';
  const close = () => setVerb(null);
  return html`<header class="detail-head">
    <div class="title"><${StateChip} state=${order.status} label=${stateLabel(order)} /><h2>${TYPE_NAMES[order.type] ?? order.type}</h2>
      <span class="muted clip" title=${order.name}>${order.name}</span></div>
    <p class="meta"><${AccountName} account=${order.account} hash=${hashOf(order.account)} /><span>${VENDOR_NAMES[order.vendor] ?? order.vendor}${version}
      </span>
      <span>created <${Time} at=${order.createdAt} /></span><span class="order-id"><code>${order.id}</code></span></p>
    <div class="row wrap">
      ${isHeld && html`<${Action} class="small primary" label="Release" title="Completes the held order, with the usual outcome"
        act=${() => call('POST', `orders/${encodeURIComponent(order.id)}/complete`)} />`}
      ${isOpen(order) && html`<button type="button" class="button small" onClick=${() => setVerb('complete')}>Complete…</button>
        <button type="button" class="button small" onClick=${() => setVerb('fail')}>Fail…</button>`}
      ${order.status !== 'expired' && html`<button type="button" class="button small" onClick=${() => setVerb('expire')}>Expire…</button>`}
      <a class="button small" href=${link(['rules', 'new'], { from: `order:${order.id}` })}
        title="Makes a rule for the next order with this file name">Again with…</a>
      <${Copy} label="Copy id" text=${order.id} />
    </div>
    ${verb && html`<${OrderDialog} verb=${verb} orders=${[order]} onClose=${close} onDone=${close} />`}
  </header>`;
}

/** Outcome of the order, or what it waits for. @param {{order: any}} props */
function Result({ order }) {
  const { outcome, status, processing } = order;
  const waiting = waitingFor(order);
  const isForced = status === 'inProgress';
  const reads = isForced && processing?.polls !== undefined ? `A rule keeps it in progress for ${counted(processing.polls, 'more read', 'more reads')}.` : '';
  const held = isForced && processing === 'hold' ? 'A rule holds it until it is released, completed or failed.' : '';
  const text = waiting || reads || held;
  if (!text && (!outcome || outcome.kind === 'outputs' || outcome.kind === 'bulk')) return null;
  return html`<div class="reason ${status === 'failed' ? 'server' : 'plain'}">${text ? html`<p>${text}</p>` : html`<${Outcome} outcome=${outcome}
    vendor=${order.vendor} />`}</div>`;
}

/** @param {any} order */
function waitingFor({ status, files, type }) {
  if (status !== 'pending') return '';
  const missing = files.filter((/** @type {any} */ file) => file.bytes === null).length;
  if (missing) return `Waits for the client: ${missing} of ${counted(files.length, 'file')} ${missing === 1 ? 'is' : 'are'} not uploaded.`;
  return type.startsWith('watermark') ? 'All files are uploaded.' : 'Waits for the client: all files are uploaded, and the confirm is still to come.';
}

/** Due work, with countdowns. @param {{order: any, now: () => number}} props */
function DueList({ order, now }) {
  const due = dueOf(order);
  if (!due.length) return null;
  const advance = (/** @type {number} */ at) => call('POST', 'clock/advance', { account: order.account, to: new Date(at).toISOString() });
  return html`<ul class="due-list" aria-label="Due">${due.map(({ at, kind, name }, index) => html`<li key=${`${kind}${at}`}><span>${name} <b><${Countdown}
    at=${new Date(at).toISOString()} now=${now} /></b></span>
    ${at > now() && html`<${Action} class="small quiet" label="advance to it"
      title=${`Advances the account's clock to ${new Date(at).toISOString()} and runs ${index ? 'all work that is due until then' : kind}`}
        act=${() => advance(at)} />`}</li>`)}</ul>`;
}

/** @param {{id: string, rows: RequestRow[]}} props */
function Requests({ id, rows }) {
  if (!rows.length) return html`<p class="muted">The journal has no request about it.</p>`;
  return html`<ul class="about">${rows.slice(-REQUESTS_SHOWN).map((row) => html`<li key=${row.seq}>
    <a href=${link(['traffic', hashOf(row.account), String(row.seq)])}>
      <span class="muted number">${row.seq}</span><${Time} at=${row.at} real=${row.receivedAt} /><span class="clip">${row.operation}</span><${Status}
        status=${row.status} fault=${row.fault} /><span class="muted number">${row.durationMs === null ? '' : `${row.durationMs} ms`}</span></a></li>`)}</ul>
    <p class="muted">${rows.length > REQUESTS_SHOWN ? `The last ${REQUESTS_SHOWN} of ${rows.length}. ` : ''}
      <a href=${link(['traffic'], { q: `order:${id}` })}>Show them in Traffic</a></p>`;
}

/** @param {{order: any}} props */
function Deliveries({ order }) {
  const none = isOpen(order) ? 'Webhooks are sent when the order ends.' : 'No webhook was sent about it: the account had no endpoint for it.';
  if (!order.deliveries.length) return html`<p class="muted">${none} <a href=${link(['webhooks'])}>Webhooks</a></p>`;
  return html`<ul class="about">${order.deliveries.map((/** @type {any} */ attempt, /** @type {number} */ index) => html`<li key=${index}>
    <a href=${link(['webhooks', String(attempt.id)])} title=${attempt.error ?? ''}>
    <span class="muted number">${attempt.attempt}</span><${Time} at=${attempt.at} />
      <span class="clip">${attempt.eventType} <span class="muted">→ ${attempt.url}</span></span>
    ${attempt.status === null ? html`<span class="chip server">no response</span>` : html`<${Status} status=${attempt.status} />`}
      <span class="muted number">${attempt.durationMs} ms</span></a></li>`)}</ul>`;
}

/** @param {{order: any}} props */
const OrderFacts = ({ order }) => html`<${Facts} pairs=${[
  ['id', html`<code>${order.id}</code>`], ['name', order.name], ['account', html`<code>${order.account}
    </code>`], ['created', order.createdAt], ['updated', order.updatedAt], ['expires', order.expiresAt],
  ['processing', order.processing ? html`<code>${JSON.stringify(order.processing)}
    </code>` : null], ['failure', order.failure && `${order.failure.code}: ${order.failure.message}`],
  ['states', html`<ul>${order.history.map((/** @type {any} */ { at, to, by }, /** @type {number} */ index) => html`<li key=${index}>${at} <b>${to}
    </b> by ${JOB_NAMES[by] ? `${JOB_NAMES[by]} (${by})` : by}</li>`)}</ul>`],
]} />`;
