// Webhooks: the endpoints, and every delivery with its attempts on the retry schedule.

import { call, get, withQuery } from './api.js';
import { groupAttempts, inboxOf, resultClass, resultWord, slotCount, slotsOf, Until, useClocks } from './deliveries.js';
import { DeliveryDetail } from './delivery.js';
import { FirstWebhook } from './first-webhook.js';
import { counted, duration, instant, timeOfDay } from './format.js';
import { AccountName, Action, Dot, Empty, Fold, Icon, Problem, SearchInput, Secret, StateChip, Time } from './parts.js';
import { go, link, replace } from './router.js';
import { accountKey, hashOf, onTopic, useFetched, useListing, useStore } from './store.js';
import { html, useEffect, useMemo, useState } from './vendor/preact.js';
import { VirtualList } from './virtual-list.js';

/** @typedef {import('./deliveries.js').Delivery} Delivery */
/** @typedef {import('./deliveries.js').Endpoint} Endpoint */
/** @typedef {import('./deliveries.js').Slot} Slot */
/** @typedef {import('./deliveries.js').AccountClock} AccountClock */
/** @typedef {{at: string, subject: string, account: string, isRunning: boolean}} Job */

/** Attempts that the page reads: the server keeps as many of each account. */
const ATTEMPTS_MAX = 1000;

/** @param {{route: import('./router.js').Route}} props */
export function Webhooks({ route }) {
  useStore((all) => all.accountHash);
  useStore((all) => all.accounts);
  const account = accountKey();
  const listed = useListing(withQuery('webhooks', { account }), 'webhooks', ['accounts', 'deliveries']);
  useEffect(() => onTopic('requests', (rows) => rows.some(({ operation }) => /webhook/i.test(operation)) && listed.reload()), []);
  const attempts = useFetched(withQuery('deliveries', { account, limit: ATTEMPTS_MAX }), ['deliveries', 'accounts'], readAttempts);
  const deliveries = useMemo(() => groupAttempts(attempts.data ?? [], listed.data ?? []), [attempts.data, listed.data]);
  const text = route.query.q ?? '';
  const shown = useMemo(() => filterDeliveries(deliveries, text), [deliveries, text]);
  const selected = route.parts[0] ?? null;
  const open = (/** @type {Delivery} */ delivery) => go(['webhooks', delivery.id], { q: text });
  useMoves(shown, selected, open);
  const jobs = useFetched(withQuery('jobs', { account, limit: ATTEMPTS_MAX }), ['deliveries', 'clock', 'accounts'], readJobs);
  const clocks = useClocks([...deliveries.filter(({ nextAt }) => nextAt), ...jobs.data ?? []].map((due) => due.account));
  const error = attempts.error ?? listed.error;
  if (error && !attempts.data) return html`<div class="page"><${Problem} error=${error} /></div>`;
  if (!attempts.data || !listed.data) return html`<p class="muted pad">Reading…</p>`;
  if (!deliveries.length && !listed.data.length) return html`<div class="page narrow"><${FirstWebhook} title="Waiting for the first webhook" /></div>`;
  const delivery = deliveries.find(({ id }) => id === selected);
  return html`<div class=${`split webhooks ${selected ? 'has-detail' : ''}`}>
    <section class="list" aria-label="Deliveries">
      <${Toolbar} text=${text} all=${deliveries} shown=${shown} onChange=${attempts.reload} />
      <${Endpoints} endpoints=${listed.data} deliveries=${deliveries} jobs=${jobs.data ?? []} clocks=${clocks} />
      ${shown.length === 0
        ? html`<${NoDelivery} text=${text} hasAny=${deliveries.length > 0} />`
        : html`<${Grid} deliveries=${shown} selected=${selected} open=${open} clocks=${clocks} />`}
    </section>
    ${selected && html`<section class="detail" aria-label="Delivery" key=${selected}>
      <a class="back" href=${link(['webhooks'], { q: text })}><${Icon} name="back" />Webhooks</a>
      ${delivery
        ? html`<${DeliveryDetail} delivery=${delivery} clock=${clocks.get(delivery.account)} route=${route} onChange=${attempts.reload} />`
        : html`<${Missing} id=${selected} />`}</section>`}
  </div>`;
}

/** @param {string} path @param {AbortSignal} signal */
const readAttempts = async (path, signal) => (await get(path, signal)).deliveries;

/**
 * Reads the jobs of endpoints. Each makes the next attempt, also a first one that a rule delays.
 * @param {string} path @param {AbortSignal} signal @returns {Promise<Job[]>}
 */
const readJobs = async (path, signal) => (await get(path, signal)).jobs.filter((/** @type {any} */ job) => job.kind === 'webhook.deliver');

/** @param {{id: string}} props */
const Missing = ({ id }) => html`<div class="pad"><h2>Delivery ${id} is not kept</h2>
  <p class="muted">The server keeps the last ${ATTEMPTS_MAX} attempts of each account.${accountKey() && ' This page shows those of one account.'}</p></div>`;

/** @param {{text: string, hasAny: boolean}} props */
const NoDelivery = ({ text, hasAny }) => (hasAny
  ? html`<${Empty} title="No delivery matches"><p>The filter <code>${text}</code> hides all of them.</p></${Empty}>`
  : html`<${Empty} title="No webhook was sent yet"><p>
      ${'An order that ends sends an event to each webhook of its account. '}
      ${'Each event becomes a row here, with its attempts on the retry schedule.'}</p></${Empty}>`);

/** Texts by which a delivery is found. @param {Delivery} delivery */
function tokensOf(delivery) {
  const { id, account, webhookId, eventId, eventType, orderId, url, status, last } = delivery;
  const rules = delivery.attempts.filter(({ ruleId }) => ruleId !== null).map(({ ruleId }) => `rule:${ruleId}`);
  const fields = [`webhook:${webhookId}`, `order:${orderId}`, `status:${status}`, ...rules];
  return [id, account, eventId, eventType, url, last.error ?? String(last.status), ...fields].map((token) => token.toLowerCase());
}

/** Deliveries that have all words of the filter. A word with a colon must be a whole field. @param {Delivery[]} deliveries @param {string} text */
function filterDeliveries(deliveries, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return deliveries;
  return deliveries.filter((delivery) => {
    const tokens = tokensOf(delivery);
    return words.every((word) => (/^(webhook|order|status|rule):./.test(word) ? tokens.includes(word) : tokens.some((token) => token.includes(word))));
  });
}

/** Moves the selection by `j` and `k`. @param {Delivery[]} shown @param {string | null} selected @param {(delivery: Delivery) => void} open */
function useMoves(shown, selected, open) {
  useEffect(() => {
    const onMove = (/** @type {any} */ event) => {
      const index = shown.findIndex(({ id }) => id === selected);
      const next = index < 0 ? shown[0] : shown[index + event.detail];
      if (next) open(next);
    };
    addEventListener('dashboard-move', onMove);
    return () => removeEventListener('dashboard-move', onMove);
  }, [shown, selected]);
}

/** @param {{text: string, all: Delivery[], shown: Delivery[], onChange: () => void}} props */
function Toolbar({ text, all, shown, onChange }) {
  const apply = (/** @type {string} */ value) => replace(['webhooks'], { q: value });
  const states = /** @type {const} */ (['SENT', 'RETRYING', 'FAILED']);
  return html`<div class="toolbar">
    <${SearchInput} text=${text} placeholder="event, order, URL, webhook:1" onText=${apply} />
    <div class="row" role="group" aria-label="Status">${states.map((state) => {
      const filter = `status:${state.toLowerCase()}`;
      const count = all.filter(({ status }) => status === state).length;
      const isOn = text === filter;
      return html`<button key=${state} type="button" class="button" aria-pressed=${isOn} onClick=${() => apply(isOn ? '' : filter)}>
        ${count.toLocaleString('en')} ${state.toLowerCase()}</button>`;
    })}</div>
    <span class="muted count">${shown.length < all.length && `${shown.length.toLocaleString('en')} of `}${counted(all.length, 'delivery', 'deliveries')}</span>
    <${ResendFailed} failed=${shown.filter(({ status, endpoint }) => status === 'FAILED' && endpoint)} onChange=${onChange} />
  </div>`;
}

/** Button that resends the failed deliveries, the oldest first, and says what came of it. @param {{failed: Delivery[], onChange: () => void}} props */
function ResendFailed({ failed, onChange }) {
  const [progress, setProgress] = useState('');
  const resend = async () => {
    let sent = 0;
    for (const [index, { id, account }] of [...failed].reverse().entries()) {
      setProgress(`${index + 1} of ${failed.length}…`);
      const attempt = await call('POST', withQuery(`deliveries/${id}/resend`, { account }));
      sent += attempt.deliveryStatus === 'SENT' ? 1 : 0;
    }
    setProgress(`${counted(failed.length, 'delivery', 'deliveries')} resent: ${sent} accepted, ${failed.length - sent} not`);
    onChange();
    go(['webhooks']);
  };
  return html`<span class="row wrap"><${Action} label="Resend failed" isDisabled=${!failed.length} act=${resend}
      title="Sends each failed delivery of this list once more. One that fails again is retried after 30 minutes." />
    <span class="muted" role="status">${progress}</span></span>`;
}

/** @param {{endpoints: Endpoint[], deliveries: Delivery[], jobs: Job[], clocks: Map<string, AccountClock>}} props */
function Endpoints({ endpoints, deliveries, jobs, clocks }) {
  const isAll = useStore((all) => all.accountHash === '');
  if (!endpoints.length) return null;
  return html`<div class="endpoints"><${Fold} title="Endpoints" open=${matchMedia('(min-width: 760px)').matches} note=${counted(endpoints.length, 'endpoint')}>
    <ul>${endpoints.map((endpoint) => html`<${EndpointRow} key=${endpoint.id} endpoint=${endpoint} isAll=${isAll}
      job=${jobs.find(({ subject }) => subject === String(endpoint.id))} clock=${clocks.get(endpoint.account)}
      count=${deliveries.filter(({ webhookId }) => webhookId === endpoint.id).length} />`)}</ul>
  </${Fold}></div>`;
}

/** @param {{endpoint: Endpoint, isAll: boolean, count: number, job?: Job, clock?: AccountClock}} props */
function EndpointRow({ endpoint, isAll, count, job, clock }) {
  const inbox = inboxOf(endpoint.url);
  return html`<li class="endpoint">
    <span class="endpoint-url"><b>${endpoint.id}</b> <code>${endpoint.url}</code>${endpoint.name && html` <span>${endpoint.name}</span>`}</span>
    <span class="row wrap endpoint-facts">${!endpoint.isActive && html`<span class="chip">inactive</span>`}
      ${endpoint.isTest && html`<span class="chip" title="Receives only events of test orders">test</span>`}
      ${endpoint.isLegacy && html`<span class="chip" title="The webhook of the legacy route">legacy</span>`}
      ${isAll && html`<${AccountName} account=${endpoint.account} hash=${hashOf(endpoint.account)} />`}
      <span class="muted">${endpoint.vendor}</span></span>
    <span class="muted endpoint-last">${endpoint.lastSentAt ? html`last sent <${Time} at=${endpoint.lastSentAt} />` : 'nothing sent'}
      ${job && html`, next ${job.isRunning ? 'on its way' : html`<${Until} at=${job.at} clock=${clock} />`}`}</span>
    <span class="row wrap endpoint-links"><${Secret} secret=${endpoint.secret} />
      ${inbox && html`<a class="button small" href=${link(['inbox', inbox], { of: hashOf(endpoint.account) })}>Inbox</a>`}
      <a class="button small" href=${link(['webhooks'], { q: `webhook:${endpoint.id}` })}>${counted(count, 'delivery', 'deliveries')}</a></span>
  </li>`;
}

/** @param {{deliveries: Delivery[], selected: string | null, open: (delivery: Delivery) => void, clocks: Map<string, AccountClock>}} props */
function Grid({ deliveries, selected, open, clocks }) {
  const isAll = useStore((all) => all.accountHash === '');
  const count = slotCount(deliveries);
  const schedule = deliveries.find(({ endpoint }) => endpoint)?.endpoint?.retryScheduleMs ?? [];
  return html`<div class="deliveries" style=${{ '--attempts': count }}>
    <${VirtualList} label="Deliveries" rows=${deliveries} rowKey=${(/** @type {Delivery} */ { id }) => id} selected=${selected}
      onOpen=${open} version=${0} columns=${5 + count} isFollowing=${false} onFollow=${() => {}}
      header=${html`<${HeaderCells} count=${count} schedule=${schedule} />`}
      render=${(/** @type {Delivery} */ delivery) => html`
        <${RowCells} delivery=${delivery} count=${count} isAll=${isAll} clock=${clocks.get(delivery.account)} />`} />
  </div>`;
}

/** @param {{count: number, schedule: number[]}} props */
const HeaderCells = ({ count, schedule }) => html`
  ${['status', 'event', 'order', 'endpoint', 'first'].map((name) => html`<span key=${name} role="columnheader" class=${`d-${name}`}>${name}</span>`)}
  ${Array.from({ length: count }, (_, index) => html`<span key=${index} role="columnheader" class="d-slot" aria-label=${`attempt ${index + 1}`}
    title=${`Attempt ${index + 1}${schedule[index - 1] === undefined ? '' : `, ${duration(schedule[index - 1])} after attempt ${index} failed`}`}>
    ${index === 0 || schedule[index - 1] === undefined ? index + 1 : `+${duration(schedule[index - 1])}`}</span>`)}`;

/** End of an id: ids of one account begin alike. @param {string} id */
const tail = (id) => (id.length > 12 ? `…${id.slice(-9)}` : id);

/** @param {{delivery: Delivery, count: number, isAll: boolean, clock?: AccountClock}} props */
function RowCells({ delivery, count, isAll, clock }) {
  const { status, eventType, orderId, url, attempts, account, endpoint } = delivery;
  const stop = (/** @type {Event} */ event) => event.stopPropagation();
  return html`<span role="gridcell" class="d-status"><${StateChip} state=${status} label=${status.toLowerCase()} /></span>
    <span role="gridcell" class="d-event" title=${isAll ? `${eventType}, account ${account}` : eventType}>
      ${isAll && html`<${Dot} hash=${hashOf(account)} />`}<span class="clip">${eventType.replace(/^order\./, '')}</span></span>
    <span role="gridcell" class="d-order" title=${orderId}>${orderId && html`<a href=${link(['orders', orderId])} onClick=${stop}>${tail(orderId)}</a>`}</span>
    <span role="gridcell" class="d-endpoint" title=${endpoint ? url : `${url} (deleted)`}>
      ${url.replace(/^https?:\/\//, '')}${!endpoint && html` <i class="muted">deleted</i>`}</span>
    <span role="gridcell" class="d-first"><${Time} at=${attempts[0].at} /></span>
    ${slotsOf(delivery, count).map((slot) => html`<span key=${slot.number} role="gridcell" class="d-slot">
      <${SlotCell} slot=${slot} clock=${clock} /></span>`)}`;
}

/** @param {{slot: Slot, clock?: AccountClock}} props */
function SlotCell({ slot, clock }) {
  if (slot.kind === 'none') return null;
  if (slot.kind === 'gone') return html`<span class="muted" title=${`Attempt ${slot.number} is not kept any more`}>?</span>`;
  if (slot.kind === 'next') return html`<span class="slot-next"><${Until} at=${slot.at} clock=${clock} isShort=${true} /></span>`;
  if (slot.kind === 'later') {
    const title = `Attempt ${slot.number} at ${instant(slot.at)}, if all before it fail`;
    return html`<time class="slot-later" datetime=${slot.at} title=${title}>${timeOfDay(slot.at).slice(0, 8)}</time>`;
  }
  const last = /** @type {import('./deliveries.js').Attempt} */ (slot.attempts.at(-1));
  const title = `Attempt ${slot.number} at ${last.at}: ${last.error ?? `answered ${last.status}`}, ${last.durationMs} ms`;
  const times = slot.attempts.length > 1 ? ` ×${slot.attempts.length}` : '';
  return html`<span class=${`chip ${resultClass(last)}`} title=${title}>${resultWord(last)}${times}</span>`;
}
