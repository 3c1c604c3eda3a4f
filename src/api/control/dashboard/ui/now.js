// Now: what is due next, what went wrong last, and how much is under way.

import { call, CallError, withQuery } from './api.js';
import { JOB_NAMES, NextJob } from './clock.js';
import { counted, instant } from './format.js';
import { FirstSteps } from './first-steps.js';
import { AccountName, Action, Countdown, Icon, Problem, StateChip, Status, Time } from './parts.js';
import { go, link } from './router.js';
import { accountKey, hashOf, loadClock, rowKey, state, useFetched, useStore } from './store.js';
import { html, useState } from './vendor/preact.js';

/**
 * @typedef {{at: string, kind: string, subject: string, account: string, clock: string, orderId: string | null, isRunning: boolean}} Job
 * @typedef {import('./store.js').RequestRow} RequestRow
 */

const JOBS_MAX = 50;
const FAILURES_MAX = 10;
/** Attempts that are read to find the deliveries with a retry to come. */
const ATTEMPTS_MAX = 100;
/** @type {import('./store.js').Topic[]} */
const WORK = ['orders', 'deliveries', 'clock', 'accounts'];

export function Now() {
  useStore((all) => all.accountHash);
  useStore((all) => all.accounts);
  useStore((all) => all.rowsVersion);
  const account = accountKey();
  const jobs = useFetched(withQuery('jobs', { account, limit: JOBS_MAX }), WORK);
  const info = useFetched(withQuery('info', { account }), [...WORK, 'rules']);
  const orders = useFetched(withQuery('orders', { account, limit: 100 }), ['orders', 'accounts']);
  const deliveries = useFetched(withQuery('deliveries', { account, limit: ATTEMPTS_MAX }), ['deliveries', 'accounts']);
  const rows = state.rows.filter((row) => account === null || row.account === account);
  const failures = rows.filter((row) => row.fault || (row.status ?? 0) >= 400).slice(-FAILURES_MAX).reverse();
  const failed = (orders.data?.orders ?? []).filter((/** @type {any} */ order) => order.status === 'failed').slice(-FAILURES_MAX).reverse();
  const isEmpty = !rows.length && orders.data?.orders.length === 0 && jobs.data?.jobs.length === 0;
  if (isEmpty) return html`<${FirstSteps} />`;
  return html`<div class="page now">
    <header><h2>Now</h2><span class="spacer"></span><${NowActions} /></header>
    <${Problem} error=${jobs.error ?? info.error ?? orders.error ?? deliveries.error} />
    ${info.data && html`<${Numbers} info=${info.data} />`}
    <div class="columns">
      <div><${DueWork} jobs=${jobs.data?.jobs} hasMore=${Boolean(jobs.data?.next)} /><${Retries} attempts=${deliveries.data?.deliveries ?? []} /></div>
      <div><${Failures} rows=${failures} />${failed.length > 0 && html`<${FailedOrders} orders=${failed} />`}</div>
    </div>
  </div>`;
}

/** Actions on the clock and on the work. */
function NowActions() {
  const clock = useStore((all) => all.clock);
  const isFrozen = clock?.mode === 'frozen';
  const [drained, setDrained] = useState(/** @type {any} */ (null));
  const setMode = async () => {
    await call('PUT', 'clock', { account: accountKey() ?? undefined, mode: isFrozen ? 'running' : 'frozen' });
    await loadClock();
  };
  return html`<div class="row wrap">
      <${NextJob} />
      <${Action} label="Drain" title="Waits until all work has ended that is under way or due within ten seconds"
        act=${async () => setDrained(await drain())} />
      <${Action} label=${html`<${Icon} name=${isFrozen ? 'play' : 'pause'} />${isFrozen ? 'Run' : 'Pause'}`}
        title=${isFrozen ? 'Lets the clock run' : 'Freezes the clock: nothing becomes due until it is advanced'} act=${setMode} /></div>
    ${drained && html`<${Drained} result=${drained} />`}`;
}

/** Waits until all work has ended. Returns the answer also if some work has not. @returns {Promise<any>} */
async function drain() {
  try {
    return await call('POST', 'drain', { account: accountKey() ?? undefined });
  } catch (error) {
    const body = error instanceof CallError ? /** @type {any} */ (error).body : null;
    if (body?.waiting) return { ...body, hint: body.error?.hint };
    throw error;
  }
}

/** What a drain waited for in vain, or what is due later. @param {{result: any}} props */
function Drained({ result }) {
  const { next } = result;
  if (result.idle) {
    return html`<p class="drained" role="status">All work has ended.
      ${next && html`${' '}Due later: ${jobName(next.kind)} of ${next.subject}, <${Countdown} at=${next.at} />.`}</p>`;
  }
  return html`<div class="drained" role="status"><p>${result.error ? 'The clock is frozen while work is due later.' : 'Some work has not ended.'} ${result.hint}</p>
    <ul>${result.waiting.map((/** @type {any} */ entry) => html`<li key=${`${entry.kind}/${entry.subject}`}>${waitingText(entry)}</li>`)}</ul></div>`;
}

/** Names of what a client still owes. @type {Record<string, string>} */
const WAITING_NAMES = {
  'order.upload': 'waits for the upload',
  'order.confirm': 'waits for the confirm',
  'order.poll': 'waits for reads',
  'order.release': 'is held by a rule',
};

/** @param {any} entry */
const waitingText = ({ kind, subject }) => (WAITING_NAMES[kind] ? `${subject} ${WAITING_NAMES[kind]}` : `${jobName(kind)} of ${subject}`);

/** @param {string} kind */
const jobName = (kind) => JOB_NAMES[kind] ?? kind;

/** States of orders and of deliveries, with their names. @type {Record<string, string>} */
const ORDER_STATES = { pending: 'pending', inProgress: 'in progress', complete: 'complete', failed: 'failed', expired: 'expired' };
/** @type {Record<string, string>} */
const DELIVERY_CLASSES = { pending: '', retrying: 'client', failed: 'server' };

/** Orders and deliveries by state. @param {{info: any}} props */
function Numbers({ info }) {
  return html`<div class="numbers">
    <div><h3>Orders</h3><div class="row wrap">${Object.entries(ORDER_STATES).map(([id, name]) => html`<a key=${id} href=${link(['orders'], { q: `state:${id}` })}>
      <b class="number">${(info.orders?.[id] ?? 0).toLocaleString('en')}</b> <${StateChip} state=${id} label=${name} /></a>`)}</div></div>
    <div><h3>Webhooks</h3><div class="row wrap">${Object.entries(DELIVERY_CLASSES).map(([id, color]) => html`<a key=${id} href=${link(['webhooks'])}>
      <b class="number">${(info.deliveries?.[id] ?? 0).toLocaleString('en')}</b> <span class="chip ${color}">${id}</span></a>`)}</div></div>
  </div>`;
}

/** Kinds of jobs that somebody waits for. The others are mere ends of a time. */
const AWAITED = new Set(['order.process', 'order.report', 'webhook.deliver']);

/** @param {{jobs?: Job[], hasMore: boolean}} props */
function DueWork({ jobs = [], hasMore }) {
  const isAll = useStore((all) => all.accountHash === '');
  const awaited = jobs.filter(({ kind }) => AWAITED.has(kind));
  const kinds = [...new Set(jobs.map(({ kind }) => kind))].filter((kind) => !AWAITED.has(kind));
  return html`<section class="card"><header><h3>Due</h3><span class="muted">${hasMore ? `the first ${JOBS_MAX}, ` : ''}by the account's clock</span></header>
    ${awaited.length === 0 ? html`<p class="muted">Nothing is due: no order in progress, no webhook to come.</p>` : html`<table class="plain"><thead><tr>
      <th>When</th><th>What</th>${isAll && html`<th>Account</th>`}</tr></thead>
      <tbody>${awaited.map((job) => html`<tr key=${`${job.kind}/${job.subject}/${job.at}`}><td class="when"><${DueIn} job=${job} /></td>
        <td class="what"><span>${jobName(job.kind)}</span> <${JobSubject} job=${job} /></td>
        ${isAll && html`<td class="whose"><${AccountName} account=${job.account} hash=${hashOf(job.account)} /></td>`}</tr>`)}</tbody></table>`}
    ${kinds.map((kind) => html`<${Ends} key=${kind} jobs=${jobs.filter((job) => job.kind === kind)} />`)}
  </section>`;
}

/** One line for jobs of a kind that nobody waits for. @param {{jobs: Job[]}} props */
const Ends = ({ jobs }) => html`<p class="muted">${jobName(jobs[0].kind)}: ${jobs.length > 1 && html`${jobs.length} jobs, the first is${' '}`}
  <${JobSubject} job=${jobs[0]} />${' '}<${DueIn} job=${jobs[0]} /></p>`;

/** Time until a job is due, if the top bar shows the clock that judges it; else the instant. @param {{job: Job}} props */
function DueIn({ job }) {
  const isAll = useStore((all) => all.accountHash === '');
  if (job.isRunning) return html`<span class="chip redirect">running</span>`;
  return isAll && job.clock !== 'default' ? html`<span title="By the account's own clock">${instant(job.at)}</span>` : html`<${Countdown} at=${job.at} />`;
}

/** @param {{job: Job}} props */
function JobSubject({ job }) {
  if (job.kind === 'webhook.deliver') return html`<a href=${link(['webhooks', job.subject])}>delivery ${job.subject}</a>`;
  return job.orderId ? html`<a href=${link(['orders', job.orderId])}>order ${job.orderId}</a>` : html`<span class="muted">${job.subject}</span>`;
}

/** @param {RequestRow} row */
function reasonOf({ reason, fault, ruleId, method, path }) {
  const cause = reason ?? (ruleId !== null ? `rule ${ruleId}` : fault ? '' : `${method} ${path}`);
  return [fault && `fault ${fault}`, cause].filter(Boolean).join(', ');
}

/** @param {{rows: RequestRow[]}} props */
const Failures = ({ rows }) => html`<section class="card"><header><h3>Refused or broken requests</h3>
  ${rows.length > 0 && html`<a href=${link(['traffic'], { q: 'status:4xx' })}>all 4xx</a>`}</header>
  ${rows.length === 0 ? html`<p class="muted">None: every recorded request was answered as it should be.</p>` : html`<ul class="lines">
    ${rows.map((row) => html`<li key=${rowKey(row)}>
    <a class="line" href=${link(['traffic', hashOf(row.account), String(row.seq)])}><${Status} status=${row.status} fault=${row.fault} /><span class="clip">
      ${row.operation}</span><${Time} at=${row.at} real=${row.receivedAt} /></a>
    <p class="muted">${row.ruleId === null ? reasonOf(row) : html`<a href=${link(['rules', String(row.ruleId)])}>${reasonOf(row)}</a>`}</p></li>`)}</ul>`}
</section>`;

/** @param {{orders: any[]}} props */
const FailedOrders = ({ orders }) => html`<section class="card"><header><h3>Failed orders</h3>
  <a href=${link(['orders'], { q: 'state:failed' })}>all</a></header>
  <ul class="lines">${orders.map((order) => html`<li key=${order.id}><a class="line" href=${link(['orders', order.id])}><${StateChip} state="failed"
    label=${order.failure?.code || 'failed'} /><span class="clip">${order.fileNames?.[0] ?? order.name}</span><${Time} at=${order.updatedAt} /></a>
    <p class="muted">${order.failure?.message}</p></li>`)}</ul></section>`;

/** Time until the next attempt. Accounts have different clocks, so it is an instant if all of them are shown. @param {{at: string}} props */
function NextTry({ at }) {
  const isAll = useStore((all) => all.accountHash === '');
  return isAll ? html`<span title="By the account's clock">${instant(at)}</span>` : html`<${Countdown} at=${at} />`;
}

/** Deliveries whose last attempt failed and that are tried again. @param {{attempts: any[]}} props */
function Retries({ attempts }) {
  /** @type {Map<number, any>} */
  const latest = new Map();
  for (const attempt of attempts) latest.set(attempt.id, attempt);
  const retrying = [...latest.values()].filter((attempt) => attempt.nextAt !== null);
  if (!retrying.length) return null;
  return html`<section class="card"><header><h3>Webhooks that are tried again</h3><span class="muted">
    ${counted(retrying.length, 'delivery', 'deliveries')}</span></header>
    <ul class="lines">${retrying.slice(0, FAILURES_MAX).map((attempt) => html`<li key=${attempt.id}><a class="line"
      href=${link(['webhooks', String(attempt.id)])}><${Status} status=${attempt.status} fault=${attempt.status === null ? 'no answer' : null} />
      <span class="clip">${attempt.eventType}</span><${NextTry} at=${attempt.nextAt} /></a>
      <p class="muted">attempt ${attempt.attempt}${attempt.error ? `: ${attempt.error}` : ` to ${attempt.url}`}</p></li>`)}</ul></section>`;
}
