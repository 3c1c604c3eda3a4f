// Webhooks: the endpoints, every delivery with its attempts on the retry schedule, and one delivery beside them.

import { call, get, withQuery } from './api.js';
import { parseWords } from './filter.js';
import { FirstWebhook } from './first-steps.js';
import { counted, duration, instant, size, timeOfDay } from './format.js';
import { AccountName, Action, Body, Copy, Countdown, Dot, Facts, Fold, Headers, Menu, NoMatch, Problem, SearchInput, Secret, Snippet, Split, StateChip,
  Time } from './parts.js';
import { go, link, replace, safeDecode } from './router.js';
import { quoted } from './snippets.js';
import { accountKey, clockNow, hashOf, onTopic, useFetched, useListing, useStore } from './store.js';
import { html, useEffect, useMemo, useState } from './vendor/preact.js';
import { VirtualList } from './virtual-list.js';

/**
 * @typedef {{id: string, at: string, account: string, webhookId: number, eventId: string, eventType: string,
 *   orderId: string | null, url: string, attempt: number, requestHeaders: Record<string, string>, requestBody: string,
 *   status: number | null, responseHeaders: Record<string, string> | null, responseBody: string | null,
 *   responseClipped: boolean, error: string | null, durationMs: number, nextAt: string | null,
 *   deliveryStatus: 'SENT' | 'RETRYING' | 'FAILED', ruleId: number | null}} Attempt
 * @typedef {{id: number, account: string, vendor: string, name: string | null, url: string, secret: string,
 *   isTest: boolean, isActive: boolean, isLegacy: boolean, signatureHeader: string, retryScheduleMs: number[],
 *   createdAt: string, updatedAt: string, lastSentAt: string | null}} Endpoint
 * @typedef {{id: string, account: string, webhookId: number, eventId: string, eventType: string, orderId: string | null,
 *   url: string, state: 'SENT' | 'RETRYING' | 'FAILED' | 'STOPPED', nextAt: string | null, endpoint?: Endpoint,
 *   attempts: Attempt[], last: Attempt, now: () => number}} Delivery
 * @typedef {{at: string, kind: string, subject: string, account: string, isRunning: boolean}} Job
 */

/** Attempts that the page reads: the server keeps as many of each account. */
const ATTEMPTS_MAX = 1000;
/** Columns of attempts. */
const COLUMNS_MAX = 12;

/** Fields that the filter can name. @type {Record<string, (delivery: Delivery, value: string) => boolean>} */
const FIELDS = {
  webhook: ({ webhookId }, value) => String(webhookId) === value,
  order: ({ orderId }, value) => orderId === value,
  status: ({ state }, value) => state === value.toUpperCase(),
  rule: ({ attempts }, value) => attempts.some(({ ruleId }) => String(ruleId) === value),
};

/** @param {string} text */
const parseFilter = (text) => parseWords(text, FIELDS, (/** @type {Delivery} */ { id, account, eventId, eventType, url, orderId, last }) =>
  [id, account, eventId, eventType, url, orderId, last.error ?? String(last.status)]);

/** @param {{route: import('./router.js').Route}} props */
export function Webhooks({ route }) {
  const account = useStore(accountKey);
  const listed = useListing(withQuery('webhooks', { account }), 'webhooks', ['accounts', 'deliveries']);
  useEffect(() => onTopic('requests', (rows) => rows.some(({ operation }) => /webhook/i.test(operation)) && listed.reload()), []);
  const query = { account, limit: ATTEMPTS_MAX };
  const attempts = useFetched(withQuery('deliveries', query), ['deliveries', 'accounts']);
  // A job makes the next attempt, also a first one that a rule delays.
  const jobs = useFetched(withQuery('jobs', query), ['deliveries', 'clock', 'accounts']).data?.jobs ?? [];
  /** @type {Endpoint[]} */
  const endpoints = listed.data ?? [];
  const deliveries = useMemo(() => groupAttempts(attempts.data?.deliveries ?? [], endpoints), [attempts.data, listed.data]);
  const text = route.query.q ?? '';
  const shown = useMemo(() => deliveries.filter(parseFilter(text)), [deliveries, text]);
  const clockOf = useClocks([...deliveries.filter(({ nextAt }) => nextAt), ...jobs].map((due) => due.account));
  for (const delivery of deliveries) delivery.now = clockOf(delivery.account);
  const [id] = route.parts;
  const open = (/** @type {Delivery} */ delivery) => go(['webhooks', delivery.id], { q: text });
  const delivery = deliveries.find((each) => each.id === id);
  if (!attempts.data || !listed.data) return html`<div class="page"><${Problem} error=${attempts.error ?? listed.error} /></div>`;
  if (!deliveries.length && !endpoints.length) return html`<div class="page narrow"><${FirstWebhook} title="Waiting for the first webhook" /></div>`;
  const list = html`<div class="toolbar">
      <${SearchInput} text=${text} placeholder="event, order, URL, webhook:1" onText=${(/** @type {string} */ q) => replace(['webhooks'], { q })} />
      <${Tools} text=${text} all=${deliveries} shown=${shown} onChange=${attempts.reload} /></div>
    ${endpoints.length > 0 && html`<div class="endpoints">
      <${Fold} title="Endpoints" open=${matchMedia('(min-width: 760px)').matches} note=${counted(endpoints.length, 'endpoint')}>
        <ul>${endpoints.map((endpoint) => html`<${EndpointRow} key=${endpoint.id} endpoint=${endpoint} isAll=${!account} now=${clockOf(endpoint.account)}
          job=${jobs.find((/** @type {Job} */ { kind, subject }) => kind === 'webhook.deliver' && subject === String(endpoint.id))}
          count=${deliveries.filter(({ webhookId }) => webhookId === endpoint.id).length} />`)}</ul><//></div>`}
    ${shown.length > 0
      ? html`<${Grid} deliveries=${shown} id=${id} open=${open} isAll=${!account} />`
      : text ? html`<${NoMatch} text=${text} />` : html`<p class="pad muted">No webhook was sent yet. An order that ends sends one to each endpoint.</p>`}`;
  return html`<${Split} page="webhooks" title="Webhooks" one="Delivery" id=${id} text=${text} list=${list} detail=${delivery
    ? html`<${DeliveryDetail} delivery=${delivery} query=${route.query} onChange=${attempts.reload} />`
    : html`<p class="pad">Delivery ${id} is not kept, or belongs to another account.</p>`} />`;
}

/** @param {{text: string, all: Delivery[], shown: Delivery[], onChange: () => void}} props */
function Tools({ text, all, shown, onChange }) {
  const [progress, setProgress] = useState('');
  const failed = shown.filter(({ state, endpoint }) => state === 'FAILED' && endpoint).reverse();
  const resendAll = async () => {
    let sent = 0;
    for (const [index, delivery] of failed.entries()) {
      setProgress(`${index + 1} of ${failed.length}…`);
      sent += Number((await resend(delivery)).deliveryStatus === 'SENT');
    }
    setProgress(`${failed.length} resent: ${sent} accepted, ${failed.length - sent} not`);
    onChange();
    go(['webhooks']);
  };
  return html`<div class="row" role="group" aria-label="Status">${['sent', 'retrying', 'failed'].map((state) => {
    const q = `status:${state}`;
    return html`<button key=${state} type="button" class="button" aria-pressed=${text === q} onClick=${() => replace(['webhooks'], { q: text === q ? '' : q })}>
      ${all.filter((delivery) => FIELDS.status(delivery, state)).length} ${state}</button>`;
  })}</div>
    <span class="muted count">${shown.length < all.length && `${shown.length} of `}${counted(all.length, 'delivery', 'deliveries')}</span>
    <${Action} label="Resend failed" isDisabled=${!failed.length} act=${resendAll} title="Sends each failed delivery of this list once more" />
    <span class="muted" role="status">${progress}</span>`;
}

/** @param {{endpoint: Endpoint, isAll: boolean, count: number, job?: Job, now: () => number}} props */
function EndpointRow({ endpoint: { id, url, name, account, vendor, secret, lastSentAt, ...is }, isAll, count, job, now }) {
  const inbox = inboxOf(url);
  return html`<li class="endpoint">
    <span><b>${id}</b> <code>${url}</code> ${name}</span>
    <span class="row wrap optional">${!is.isActive && html`<span class="chip">inactive</span>`}
      ${is.isTest && html`<span class="chip" title="Receives only events of test orders">test</span>`}
      ${is.isLegacy && html`<span class="chip" title="The webhook of the legacy route">legacy</span>`}
      ${isAll && html`<${AccountName} account=${account} />`}<span class="muted">${vendor}</span></span>
    <span class="muted optional last">${lastSentAt ? html`last sent <${Time} at=${lastSentAt} />` : 'nothing sent'}
      ${job && html`, next ${job.isRunning ? 'on its way' : html`<${Countdown} at=${job.at} now=${now} />`}`}</span>
    <span class="row wrap"><${Secret} secret=${secret} />
      ${inbox && html`<a class="button small" href=${link(['inbox', inbox], { of: hashOf(account) })}>Inbox</a>`}
      <a class="button small" href=${link(['webhooks'], { q: `webhook:${id}` })}>${counted(count, 'delivery', 'deliveries')}</a></span>
  </li>`;
}

/** @param {{deliveries: Delivery[], id?: string, open: (delivery: Delivery) => void, isAll: boolean}} props */
function Grid({ deliveries, id, open, isAll }) {
  const counts = deliveries.map(({ last, nextAt, endpoint }) =>
    Math.max((endpoint?.retryScheduleMs.length ?? 0) + 1, last.attempt + Number(nextAt !== null)));
  const numbers = Array.from({ length: Math.min(COLUMNS_MAX, Math.max(...counts)) }, (_, index) => index + 1);
  const delays = deliveries.find(({ endpoint }) => endpoint)?.endpoint?.retryScheduleMs ?? [];
  return html`<div class="deliveries" style=${{ '--attempts': numbers.length }}>
    <${VirtualList} label="Deliveries" rows=${deliveries} rowKey=${(/** @type {Delivery} */ each) => each.id} selected=${id ?? null}
      onOpen=${open} columns=${[...columnsOf(isAll), ...numbers.map((number) => slotColumn(number, delays[number - 2]))]} /></div>`;
}

/** Columns of what a delivery is. @param {boolean} isAll @returns {import('./virtual-list.js').Column[]} */
const columnsOf = (isAll) => [
  { name: 'd-status', head: 'status', cell: ({ state }) => html`<${StateChip} state=${state} label=${state.toLowerCase()} />` },
  { name: 'd-event', head: 'event', title: ({ eventType, account }) => `${eventType}, account ${account}`, cell: ({ eventType, account }) => html`
    ${isAll && html`<${Dot} hash=${hashOf(account)} />`}<span class="clip">${eventType.replace('order.', '')}</span>` },
  { name: 'd-order', head: 'order', title: ({ orderId }) => orderId,
    cell: ({ orderId }) => orderId && html`<a href=${link(['orders', orderId])}>…${orderId.slice(-9)}</a>` },
  { name: 'd-endpoint', head: 'endpoint', title: ({ url }) => url,
    cell: ({ url, endpoint }) => html`${!endpoint && html`<i>deleted</i> `}${url.replace(/^https?:\/\//, '')}` },
  { name: 'd-first', head: 'first', cell: ({ attempts }) => html`<${Time} at=${attempts[0].at} />` },
];

/** Column of an attempt. @param {number} number @param {number | undefined} delay @returns {import('./virtual-list.js').Column} */
const slotColumn = (number, delay) => ({
  name: `d-slot ${number}`,
  head: html`<span aria-label="attempt ${number}" title="Attempt ${number}">${delay ? `+${duration(delay)}` : number}</span>`,
  cell: (delivery) => html`<${Slot} delivery=${delivery} number=${number} />`,
});

/**
 * Place on the retry schedule: an attempt that was made, the next one, or a later one if all before it fail.
 * @param {{delivery: Delivery, number: number}} props
 */
function Slot({ delivery: { attempts, last, nextAt, endpoint, now }, number }) {
  const made = attempts.filter(({ attempt }) => attempt === number);
  const attempt = made.at(-1);
  if (attempt) {
    return html`<${Result} attempt=${attempt} more=${made.length > 1 && ` ×${made.length}`}
      title="Attempt ${number} at ${attempt.at}: ${attempt.error ?? `answered ${attempt.status}`}, ${attempt.durationMs} ms" />`;
  }
  if (number < last.attempt) return html`<span class="muted" title="Attempt ${number} is not kept any more">?</span>`;
  const delays = endpoint?.retryScheduleMs.slice(last.attempt, number - 1) ?? [];
  if (!nextAt || delays.length < number - 1 - last.attempt) return null;
  if (number === last.attempt + 1) return html`<span class="slot-next"><${Countdown} at=${nextAt} now=${now} isShort /></span>`;
  const at = new Date(delays.reduce((sum, delay) => sum + delay, Date.parse(nextAt))).toISOString();
  return html`<time class="slot-later muted" datetime=${at} title="Attempt ${number} at ${at}, if all before it fail">${timeOfDay(at).slice(0, 8)}</time>`;
}

/**
 * Groups attempts, the oldest first, into deliveries, the newest first. A delivery of a deleted webhook has no
 * endpoint, and is not retried.
 * @param {Attempt[]} attempts @param {Endpoint[]} endpoints @returns {Delivery[]}
 */
function groupAttempts(attempts, endpoints) {
  /** @type {Map<string, Attempt[]>} */
  const groups = new Map();
  for (const attempt of attempts) groups.set(attempt.id, [...(groups.get(attempt.id) ?? []), attempt]);
  return [...groups.values()].reverse().map((all) => {
    const last = all[all.length - 1];
    const endpoint = endpoints.find(({ id }) => id === last.webhookId);
    const state = last.deliveryStatus === 'RETRYING' && !endpoint ? 'STOPPED' : last.deliveryStatus;
    return { ...last, id: String(last.id), state, nextAt: state === 'RETRYING' ? last.nextAt : null, endpoint, attempts: all, last, now: clockNow };
  });
}

/** Follows the clocks of accounts, because each can have its own. @param {string[]} accounts @returns {(account: string) => () => number} */
function useClocks(accounts) {
  const keys = [...new Set(accounts)].sort().slice(0, 20);
  const { data } = useFetched(keys.length ? keys.join('\n') : null, ['clock', 'accounts'], readClocks);
  return (account) => data?.get(account) ?? clockNow;
}

/** @param {string} keys @param {AbortSignal} signal */
async function readClocks(keys, signal) {
  const clocks = new Map();
  for (const account of keys.split('\n')) {
    const { now, mode } = await get(withQuery('clock', { account }), signal);
    const shift = Date.parse(now) - performance.now();
    clocks.set(account, () => (mode === 'frozen' ? Date.parse(now) : shift + performance.now()));
  }
  return clocks;
}

/** Words for errors where there is no room. @type {Record<string, RegExp>} */
const ERROR_WORDS = {
  dropped: /dropped/,
  refused: /refused/,
  timeout: /timed out|too long/,
  reset: /reset/,
  'cut off': /truncated/,
  garbage: /not HTTP/,
  closed: /closed/,
  'no host': /dns|lookup|resolve/i,
  blocked: / address/,
  TLS: /certificate|tls/i,
};

/** Result of an attempt: the status, or what went wrong in a word. @param {{attempt: Attempt, title?: string, more?: string}} props */
function Result({ attempt: { status, error }, title, more }) {
  const color = status && status < 300 ? 'ok' : status && status < 500 ? 'client' : 'server';
  const word = () => Object.keys(ERROR_WORDS).find((name) => ERROR_WORDS[name].test(error ?? '')) ?? 'error';
  return html`<span class="chip ${color}" title=${title}>${status ?? word()}${more}</span>`;
}

/** Name of the inbox that a webhook's URL leads to. @param {string} url */
const inboxOf = (url) => safeDecode(/^https?:\/\/[^/]+\/_mock\/inbox\/([^/?#]+)/.exec(url)?.[1] ?? '');

/** Sends a delivery once more. @param {Delivery} delivery @returns {Promise<Attempt>} */
const resend = ({ id, account }) => call('POST', withQuery(`deliveries/${id}/resend`, { account }));

/** `false` where the browser has no WebCrypto: on an origin that is neither https nor localhost. */
const HAS_CRYPTO = Boolean(globalThis.crypto?.subtle);

/** Returns the lower-case hex HMAC-SHA256 of a text. @param {string} input Secret and text, with a line end between them. */
async function hmacOf(input) {
  const [secret, text] = [input.slice(0, input.indexOf('\n')), input.slice(input.indexOf('\n') + 1)].map((part) => new TextEncoder().encode(part));
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return Array.from(new Uint8Array(await crypto.subtle.sign('HMAC', key, text)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {{delivery: Delivery, query: Record<string, string>, onChange: () => void}} props */
function DeliveryDetail({ delivery, query, onChange }) {
  const { attempts, endpoint, last } = delivery;
  const hmac = useFetched(HAS_CRYPTO && endpoint ? `${endpoint.secret}\n${last.requestBody}` : null, [], hmacOf).data ?? '';
  const shown = attempts.findLast(({ attempt }) => String(attempt) === query.attempt) ?? last;
  return html`<article class="delivery">
    <${Head} delivery=${delivery} q=${query.q} onChange=${onChange} />
    <${Outlook} delivery=${delivery} />
    <${Fold} title="Attempts" note=${counted(attempts.length, 'request')}>
      ${attempts.toReversed().map((attempt, index) => html`<${AttemptFold} key=${attempts.length - index}
        attempt=${attempt} delivery=${delivery} hmac=${hmac} isOpen=${attempt === shown} />`)}<//>
    ${endpoint && html`<${Signature} endpoint=${endpoint} text=${last.requestBody} hmac=${hmac} />`}
    <${Fold} title="Body" note="the same in every attempt">
      <div><${Copy} label="Copy as sent" text=${last.requestBody} /></div>
      <pre class="body" tabindex="0" aria-label="Body as sent">${last.requestBody}</pre>
      <${Fold} title="As a tree" open=${false}><${Body} body=${jsonOrText(last.requestBody)} /><//><//>
  </article>`;
}

/** @param {string | null} text */
function jsonOrText(text) {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return text;
  }
}

/** @param {{delivery: Delivery, q?: string, onChange: () => void}} props */
function Head({ delivery, q, onChange }) {
  const { id, account, webhookId, eventId, eventType, orderId, url, state, nextAt, endpoint, now } = delivery;
  const inbox = inboxOf(url);
  const again = async () => {
    const attempt = await resend(delivery);
    onChange();
    go(['webhooks', id], { q, attempt: String(attempt.attempt) });
    return attempt;
  };
  const advance = async () => {
    await call('POST', 'clock/advance', { account, to: nextAt });
    onChange();
    go(['webhooks', id], { q });
  };
  return html`<header class="detail-head">
    <div class="title"><${StateChip} state=${state} label=${state.toLowerCase()} /><h2>${eventType}</h2></div>
    <p class="target"><b>POST</b> ${url}</p>
    <p class="meta"><${AccountName} account=${account} /><span>delivery ${id}</span>
      ${orderId && html`<a href=${link(['orders', orderId])}>order ${orderId}</a>`}
      ${endpoint
        ? html`<a href=${link(['webhooks'], { q: `webhook:${webhookId}` })}>webhook ${webhookId} ${endpoint.name}</a>`
        : html`<span>webhook ${webhookId}, deleted</span>`}
      ${inbox && html`<a href=${link(['inbox', inbox], { of: hashOf(account), event: eventId })}>inbox ${inbox}</a>`}<span>event ${eventId}</span></p>
    <div class="row wrap delivery-actions">
      <${Action} class="primary" label="Resend" isDisabled=${!endpoint} act=${again} />
      ${nextAt && html`<${Action} act=${advance} title="Advances the account's clock, and runs what is due on the way"
        label=${html`<span>Advance to the retry <span class="muted">(<${Countdown} at=${nextAt} now=${now} />)</span></span>`} />`}
      ${endpoint && html`<${ChangeMenu} delivery=${delivery} again=${again} />`}</div>
  </header>`;
}

/** Changes of one attempt by a rule. @type {[string, Record<string, unknown>][]} */
const CHANGES = [
  ['Wrong signature', { webhook: { signature: 'wrong' } }],
  ['No signature', { webhook: { signature: 'missing' } }],
  ['Sent twice', { webhook: { duplicate: 2 } }],
  ['Dropped', { webhook: { drop: true } }],
  ['Answered 503', { respond: { status: 503 } }],
];

/** Menu of rules for one attempt to the same endpoint. @param {{delivery: Delivery, again: () => Promise<Attempt>}} props */
function ChangeMenu({ delivery: { account, url }, again }) {
  /** @param {typeof CHANGES[number]} change */
  const addRule = ([name, then]) =>
    call('POST', 'rules', { account, name: `${name}, once`, when: { operation: 'webhook.deliver', webhookUrl: url }, times: 1, then });
  /** @param {typeof CHANGES[number]} change */
  const resendWith = async (change) => {
    const { id } = await addRule(change);
    const { ruleId } = await again();
    if (ruleId === id) return document.querySelector('.delivery-actions details[open]')?.removeAttribute('open');
    // Left behind, the rule would surprise the next webhook.
    await call('DELETE', withQuery(`rules/${id}`, { account }));
    throw new Error(`The delivery was resent, but rule ${ruleId} acted on it, and not this one`);
  };
  return html`<${Menu} label="Change the next one">
    <p class="muted">By a rule for one attempt to ${url}.</p>
    <div class="changes">${CHANGES.map((change) => html`<span key=${change[0]}>${change[0]}</span>
      <${Action} class="small" label="For the next one" act=${async () => go(['rules', String((await addRule(change)).id)])} />
      <${Action} class="small" label="Resend this one" act=${() => resendWith(change)} />`)}</div><//>`;
}

/** Colours and words of what came of a delivery. */
const OUTLOOKS = { SENT: ['ok', 'Delivered'], RETRYING: ['client', 'Not delivered yet'], FAILED: ['server', 'Gave up'], STOPPED: ['server', 'Not delivered'] };

/** Result of the last attempt, and the next one. @param {{delivery: Delivery}} props */
function Outlook({ delivery: { state, last, nextAt, endpoint, now } }) {
  const [color, name] = OUTLOOKS[state];
  const total = (endpoint?.retryScheduleMs.length ?? 0) + 1;
  return html`<div class="reason ${color}">
    <p><b>${name}</b> attempt ${last.attempt}${last.attempt <= total && ` of ${total}`}: ${last.error ?? `the receiver answered ${last.status}`}.</p>
    ${last.error?.includes('refused') && html`<p>Start the receiver, or register an <a href=${link(['inbox'])}>inbox</a> as the webhook's URL.</p>`}
    ${nextAt && html`<p><b>Next</b> attempt ${last.attempt + 1} at ${instant(nextAt)}, <${Countdown} at=${nextAt} now=${now} />.</p>`}
    ${!endpoint && html`<p><b>Next</b> none: the webhook was deleted.</p>`}
  </div>`;
}

/** Colours and words for the signature of an attempt. */
const VERDICTS = {
  valid: ['ok', 'signature valid'],
  wrong: ['server', 'signature wrong'],
  missing: ['client', 'no signature'],
  unknown: ['', 'signature not checked'],
};

/** @param {{attempt: Attempt, delivery: Delivery, hmac: string, isOpen: boolean}} props */
function AttemptFold({ attempt, delivery: { attempts, url, endpoint }, hmac, isOpen }) {
  const { requestHeaders, error, status, ruleId } = attempt;
  const wasSent = Object.keys(requestHeaders).length > 0;
  const sent = requestHeaders[endpoint?.signatureHeader ?? ''];
  const [color, verdict] = VERDICTS[!endpoint || (sent && !hmac) ? 'unknown' : !sent ? 'missing' : sent === hmac ? 'valid' : 'wrong'];
  const copies = attempts.filter((other) => other.attempt === attempt.attempt);
  return html`<${Fold} open=${isOpen} note=${html`<${Time} at=${attempt.at} /> · ${attempt.durationMs} ms`}
      title=${html`<span class="row wrap"><${Result} attempt=${attempt} /> attempt ${attempt.attempt}${
        copies.length > 1 && `, copy ${copies.indexOf(attempt) + 1}`}${wasSent && html` <span class="chip ${color}">${verdict}</span>`}</span>`}>
    ${error && html`<div class="problem">${error}</div>`}
    <${Facts} pairs=${[
      ['at', instant(attempt.at)],
      ['URL', attempt.url === url ? null : attempt.url],
      ['answered', status && `${status} after ${duration(attempt.durationMs)}`],
      ['then', { SENT: 'delivered', RETRYING: attempt.nextAt ? `retry at ${instant(attempt.nextAt)}` : 'retry', FAILED: 'gave up' }[attempt.deliveryStatus]],
      ['rule', ruleId && html`<a href=${link(['rules', String(ruleId)])}>rule ${ruleId}</a>`],
      ['right signature', verdict === 'signature wrong' ? html`<code>${hmac}</code>` : null],
    ]} />
    <h3>Request headers</h3>
    ${wasSent ? html`<${Headers} headers=${requestHeaders} />` : html`<p class="muted">Nothing was sent.</p>`}
    ${status && html`<h3>Response${attempt.responseClipped && ', cut off'}</h3>
      <${Headers} headers=${attempt.responseHeaders} /><${Body} body=${jsonOrText(attempt.responseBody)} />`}<//>`;
}

/**
 * Signature of the body: from what it is computed, and a command that computes the same.
 * @param {{endpoint: Endpoint, text: string, hmac: string}} props
 */
const Signature = ({ endpoint: { secret, signatureHeader }, text, hmac }) => html`<${Fold} title="Signature" note="HMAC-SHA256 in hex">
  <${Facts} pairs=${[
    ['header', signatureHeader],
    ['secret', html`<span class="row wrap"><code>${secret}</code><${Copy} text=${secret} /></span>`],
    ['signed bytes', `the body as sent, ${size(new Blob([text]).size)}, and nothing else`],
    ['HMAC', HAS_CRYPTO ? html`<code>${hmac}</code>` : 'Browsers compute it only for pages from https or localhost.'],
  ]} />
  <${Snippet} title="The same by openssl" text=${`printf '%s' ${quoted(text)} | openssl dgst -sha256 -hmac ${quoted(secret)}`} /><//>`;
