// Now: what is due next, what went wrong last, and how much is under way. Report: its place on the client.

import { call, withQuery } from './api.js';
import { JOB_NAMES, NextJob } from './clock.js';
import { FirstSteps } from './first-steps.js';
import { counted, instant } from './format.js';
import { AccountName, Action, Card, Countdown, Icon, Problem, StateChip, Status, Table, Time } from './parts.js';
import { link } from './router.js';
import { accountKey, hashOf, loadClock, rowKey, state, useFetched, useStore } from './store.js';
import { html, useState } from './vendor/preact.js';

/** @typedef {{at: string, kind: string, subject: string, account: string, clock: string, orderId: string | null, isRunning: boolean}} Job */

const JOBS_MAX = 50;
const FAILURES_MAX = 10;
/** Orders and attempts that are read to find the failed ones. */
const READ_MAX = 100;
/** Kinds of jobs that somebody waits for. The others are mere ends of a time. */
const AWAITED = new Set(['order.process', 'order.report', 'webhook.deliver']);
/** States with their classes: of orders, and of deliveries. */
const ORDER_STATES = { pending: 'pending', inProgress: 'in progress', complete: 'complete', failed: 'failed', expired: 'expired' };
const DELIVERY_STATES = { PENDING: 'pending', RETRYING: 'retrying', FAILED: 'failed' };

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
    <header>${info.data && html`<${Numbers} page="orders" counts=${info.data.orders} states=${ORDER_STATES} />
      <${Numbers} page="webhooks" counts=${info.data.deliveries} states=${DELIVERY_STATES} />`}<span class="spacer"></span><${NowActions} /></header>
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

/** Orders or deliveries by state. @param {{page: string, counts?: Record<string, number>, states: Record<string, string>}} props */
const Numbers = ({ page, counts, states }) => html`<div class="row wrap numbers"><span class="muted">${page}</span>
  ${Object.entries(states).map(([id, name]) => html`<a key=${id} href=${link([page], { q: `state:${id}` })}>
    <b>${(counts?.[page === 'orders' ? id : name] ?? 0).toLocaleString('en')}</b> <${StateChip} state=${id} label=${name} /></a>`)}</div>`;

/** Actions on the clock and on the work. */
function NowActions() {
  const isFrozen = useStore((all) => all.clock?.mode) === 'frozen';
  const [drained, setDrained] = useState(/** @type {any} */ (null));
  const account = accountKey() ?? undefined;
  const setMode = () => call('PUT', 'clock', { account, mode: isFrozen ? 'running' : 'frozen' }).then(loadClock);
  // A drain that waits in vain answers with an error, and with what it waited for.
  const drain = () => call('POST', 'drain', { account }).catch((error) => (error.body?.waiting ? error.body : Promise.reject(error))).then(setDrained);
  return html`<div class="row wrap"><${NextJob} />
      <${Action} label="Drain" title="Waits until all work has ended that is under way or due within ten seconds" act=${drain} />
      <${Action} label=${html`<${Icon} name=${isFrozen ? 'play' : 'pause'} />${isFrozen ? 'Run' : 'Pause'}`} act=${setMode}
        title="Freezes the clock, or lets it run" /></div>
    ${drained && html`<${Drained} result=${drained} />`}`;
}

/** Names of what a client still owes. @type {Record<string, string>} */
const WAITING_NAMES = { 'order.upload': 'upload', 'order.confirm': 'confirm', 'order.poll': 'reads', 'order.release': 'release of the rule that holds it' };

/** @param {{kind: string, subject: string}} entry */
const workText = ({ kind, subject }) => (WAITING_NAMES[kind] ? `${subject} waits for the ${WAITING_NAMES[kind]}` : `${JOB_NAMES[kind] ?? kind} of ${subject}`);

/** What a drain waited for in vain, or what is due later. @param {{result: any}} props */
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
