// One delivery of a webhook: its attempts, its signature, and what can be done about it.

import { call, withQuery } from './api.js';
import { inboxOf, resultClass, resultWord, Until } from './deliveries.js';
import { counted, duration, instant, size } from './format.js';
import { checkSignature, HAS_CRYPTO, opensslLine, useHmac } from './hmac.js';
import { AccountName, Action, Body, Copy, Facts, Fold, Headers, Menu, Snippet, StateChip, Time } from './parts.js';
import { go, link, replace } from './router.js';
import { hashOf, loadClock, useFetched } from './store.js';
import { html } from './vendor/preact.js';

/** @typedef {import('./deliveries.js').Delivery} Delivery */
/** @typedef {import('./deliveries.js').Attempt} Attempt */
/** @typedef {import('./deliveries.js').AccountClock} AccountClock */

/** Changes of one attempt by a rule. @type {{id: string, name: string, then: Record<string, unknown>}[]} */
const CHANGES = [
  { id: 'wrong', name: 'Wrong signature', then: { webhook: { signature: 'wrong' } } },
  { id: 'missing', name: 'No signature', then: { webhook: { signature: 'missing' } } },
  { id: 'duplicate', name: 'Sent twice', then: { webhook: { duplicate: 2 } } },
  { id: 'drop', name: 'Dropped', then: { webhook: { drop: true } } },
  { id: 'unavailable', name: 'Answered 503', then: { respond: { status: 503 } } },
];

/** @param {{delivery: Delivery, clock?: AccountClock, route: import('./router.js').Route, onChange: () => void}} props */
export function DeliveryDetail({ delivery, clock, route, onChange }) {
  const { attempts, endpoint, last } = delivery;
  const expected = useHmac(endpoint?.secret ?? null, last.requestBody);
  const number = Number(route.query.attempt) || last.attempt;
  const shown = attempts.filter(({ attempt }) => attempt === number).at(-1) ?? last;
  return html`<article class="delivery">
    <${Head} delivery=${delivery} clock=${clock} query=${route.query} onChange=${onChange} />
    <${Outlook} delivery=${delivery} clock=${clock} />
    <${Receipt} delivery=${delivery} />
    <${Fold} title="Attempts" note=${counted(attempts.length, 'request')}>
      ${attempts.toReversed().map((attempt, index) => html`<${AttemptFold} key=${attempts.length - index}
        attempt=${attempt} delivery=${delivery} expected=${expected} isOpen=${attempt === shown} copy=${copyOf(attempts, attempt)} />`)}
    </${Fold}>
    <${Signature} delivery=${delivery} attempt=${shown} expected=${expected} query=${route.query} />
    <${Fold} title="Body" note=${`${counted(new TextEncoder().encode(last.requestBody).length, 'byte')}, the same in every attempt`}>
      <div class="row wrap"><${Copy} label="Copy as sent" text=${last.requestBody} /></div>
      <pre class="body" tabindex="0" aria-label="Body as it was sent">${last.requestBody}</pre>
      <${Fold} title="As a tree" open=${false}><${Body} body=${jsonOrText(last.requestBody)} /></${Fold}>
    </${Fold}>
  </article>`;
}

/** @param {string} text */
function jsonOrText(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Ordinal among the requests of one attempt, which a rule duplicated. `0` if the attempt has one request.
 * @param {Attempt[]} attempts @param {Attempt} attempt
 */
function copyOf(attempts, attempt) {
  const same = attempts.filter((other) => other.attempt === attempt.attempt);
  return same.length > 1 ? same.indexOf(attempt) + 1 : 0;
}

/** @param {{delivery: Delivery, clock?: AccountClock, query: Record<string, string>, onChange: () => void}} props */
function Head({ delivery, clock, query, onChange }) {
  const { id, account, webhookId, eventId, eventType, orderId, url, status, nextAt, endpoint } = delivery;
  const isDeleted = endpoint === null;
  const resend = async () => {
    const attempt = await call('POST', withQuery(`deliveries/${id}/resend`, { account }));
    onChange();
    go(['webhooks', id], { q: query.q, attempt: String(attempt.attempt) });
    return attempt;
  };
  const advance = async () => {
    await call('POST', 'clock/advance', { account, to: nextAt });
    onChange();
    await loadClock();
    go(['webhooks', id], { q: query.q });
  };
  return html`<header class="detail-head">
    <div class="title"><${StateChip} state=${status} label=${status.toLowerCase()} /><h2>${eventType}</h2></div>
    <p class="target"><b>POST</b> ${url}</p>
    <p class="meta"><${AccountName} account=${account} hash=${hashOf(account)} /><span>delivery ${id}</span>
      ${orderId && html`<a href=${link(['orders', orderId])}>order ${orderId}</a>`}
      ${isDeleted
        ? html`<span>webhook ${webhookId}, deleted</span>`
        : html`<a href=${link(['webhooks'], { q: `webhook:${webhookId}` })}>webhook ${webhookId}${endpoint.name ? ` ${endpoint.name}` : ''}</a>`}
      <span>event ${eventId}</span></p>
    <div class="row wrap delivery-actions">
      <${Action} class="primary" label="Resend" isDisabled=${isDeleted} act=${resend}
        title=${isDeleted ? 'The webhook was deleted: its deliveries cannot be resent' : 'Sends the delivery now, whatever its status'} />
      ${nextAt && html`<${Action} act=${advance} title=${`Advances the clock of ${account} to ${nextAt}, and runs what is due on the way`}
        label=${html`<span>Advance to the retry <span class="muted">(<${Until} at=${nextAt} clock=${clock} />)</span></span>`} />`}
      ${!isDeleted && html`<${ChangeMenu} delivery=${delivery} resend=${resend} />`}
    </div>
  </header>`;
}

/** Menu of rules for one attempt to the same endpoint. @param {{delivery: Delivery, resend: () => Promise<Attempt>}} props */
function ChangeMenu({ delivery, resend }) {
  const { account, url } = delivery;
  /** @param {typeof CHANGES[number]} change */
  const addRule = ({ name, then }) =>
    call('POST', 'rules', { account, name: `${name}, once`, when: { operation: 'webhook.deliver', webhookUrl: url }, times: 1, then });
  /** @param {typeof CHANGES[number]} change */
  const resendWith = async (change) => {
    const rule = await addRule(change);
    const { ruleId } = await resend();
    if (ruleId !== rule.id) {
      // Left behind, the rule would surprise the next webhook.
      await call('DELETE', withQuery(`rules/${rule.id}`, { account }));
      throw new Error(`The delivery was resent, but rule ${ruleId} acted on it, and not this one`);
    }
    document.querySelector('.delivery-actions details[open]')?.removeAttribute('open');
  };
  return html`<${Menu} label="Change the next one">
    <p class="muted">Adds a rule for one attempt to ${url}: for the next webhook that is sent there, or for this one, resent now.</p>
    <div class="changes">${CHANGES.map((change) => html`<span key=${change.id}>${change.name}</span>
      <${Action} class="small" label="For the next one" act=${async () => go(['rules', String((await addRule(change)).id)])} />
      <${Action} class="small" label="Resend this one" act=${() => resendWith(change)} />`)}</div><//>`;
}

/** @type {Record<Delivery['status'], {kind: string, name: string}>} */
const OUTLOOKS = {
  SENT: { kind: 'ok', name: 'Delivered' },
  RETRYING: { kind: 'client', name: 'Not delivered yet' },
  FAILED: { kind: 'server', name: 'Gave up' },
  STOPPED: { kind: 'server', name: 'Not delivered' },
};

/** What came of the last attempt, and what comes next. @param {{delivery: Delivery, clock?: AccountClock}} props */
function Outlook({ delivery, clock }) {
  const { status, last, nextAt, endpoint } = delivery;
  const result = last.error ?? `the receiver answered ${last.status}`;
  const { kind, name } = OUTLOOKS[status];
  const total = endpoint ? endpoint.retryScheduleMs.length + 1 : null;
  return html`<div class=${`reason ${kind}`}>
    <p><b>${name}</b> attempt ${last.attempt}${total && last.attempt <= total ? ` of ${total}` : ''}: ${result}.</p>
    ${last.error?.includes('connection refused') && html`<p>Start the receiver, or register an <a href=${link(['inbox'])}>inbox</a> as the webhook's URL.</p>`}
    ${nextAt && html`<p><b>Next</b> attempt ${last.attempt + 1} at ${instant(nextAt)}, <${Until} at=${nextAt} clock=${clock} />.</p>`}
    ${status === 'STOPPED' && html`<p><b>Next</b> none: the webhook was deleted.</p>`}
  </div>`;
}

/** Messages of an inbox that have the same bytes. @param {{delivery: Delivery}} props */
function Receipt({ delivery }) {
  const name = inboxOf(delivery.url);
  const { data } = useFetched(name === null ? null : withQuery(`inbox/${encodeURIComponent(name)}/messages`, { account: delivery.account }), ['inbox']);
  /** @type {any[]} */
  const messages = data?.messages.filter((/** @type {any} */ message) => message.rawBody === delivery.last.requestBody) ?? [];
  if (name === null || !messages.length) return null;
  const invalid = messages.filter(({ signatureValid }) => signatureValid === false).length;
  const isChecked = messages.every(({ signatureValid }) => signatureValid !== null);
  const isRepeated = messages.length > 1;
  const validity = invalid ? `${isRepeated ? `${invalid} of them ` : ''}with an invalid signature` : isChecked ? 'signature valid' : 'signature not checked';
  const target = link(['inbox', name], { of: hashOf(delivery.account), event: delivery.eventId });
  return html`<p class="receipt"><a href=${target}>Received by the inbox ${name}</a>${isRepeated && ` ${messages.length} times`}, ${validity}</p>`;
}

const SIGNATURE_TEXTS = { valid: 'signature valid', wrong: 'signature wrong', missing: 'no signature', unknown: 'signature not checked' };
/** Whether a receiver accepts a signature. */
const VERDICTS = {
  valid: ['they agree', 'A receiver with this secret accepts the request.'],
  wrong: ['they differ', 'A receiver with this secret must refuse the request.'],
  missing: ['not signed', 'A receiver must refuse the request.'],
  unknown: ['not compared', ''],
};
const SIGNATURE_CLASSES = { valid: 'ok', wrong: 'server', missing: 'client', unknown: '' };

/** @param {{verdict: 'valid' | 'wrong' | 'missing' | 'unknown'}} props */
const SignatureChip = ({ verdict }) => html`<span class=${`chip ${SIGNATURE_CLASSES[verdict]}`}>${SIGNATURE_TEXTS[verdict]}</span>`;

/** @param {{attempt: Attempt, delivery: Delivery, expected: string | null, isOpen: boolean, copy: number}} props */
function AttemptFold({ attempt, delivery, expected, isOpen, copy }) {
  const { requestHeaders, responseHeaders, error, status } = attempt;
  const wasSent = Object.keys(requestHeaders).length > 0;
  const verdict = delivery.endpoint ? checkSignature(requestHeaders, delivery.endpoint.signatureHeader, expected).verdict : 'unknown';
  return html`<${Fold} open=${isOpen} note=${html`<${Time} at=${attempt.at} /> · ${attempt.durationMs} ms`}
      title=${html`<span class="row wrap"><span class=${`chip ${resultClass(attempt)}`}>${resultWord(attempt)}</span>
        attempt ${attempt.attempt}${copy ? `, copy ${copy}` : ''}${wasSent && html`<${SignatureChip} verdict=${verdict} />`}</span>`}>
    ${error && html`<div class="problem">${error}</div>`}
    <${Facts} pairs=${[
      ['at', instant(attempt.at)],
      ['URL', attempt.url === delivery.url ? null : html`<code>${attempt.url}</code>`],
      ['answered', status === null ? null : `${status} after ${duration(attempt.durationMs)}`],
      ['then', { SENT: 'delivered', RETRYING: attempt.nextAt ? `retry at ${instant(attempt.nextAt)}` : 'retry', FAILED: 'gave up' }[attempt.deliveryStatus]],
      ['rule', attempt.ruleId === null ? null : html`<a href=${link(['rules', String(attempt.ruleId)])}>rule ${attempt.ruleId}</a>`],
    ]} />
    <h3>Request headers</h3>
    ${wasSent ? html`<${Headers} headers=${requestHeaders} />` : html`<p class="muted">Nothing was sent.</p>`}
    ${status !== null && html`<h3>Response${attempt.responseClipped ? html` <span class="chip client">cut off</span>` : ''}</h3>
      <${Headers} headers=${responseHeaders} /><${Body} body=${jsonOrText(attempt.responseBody ?? '')} />`}
  </${Fold}>`;
}

/**
 * Signature of an attempt: how it is computed, and whether it is right.
 * @param {{delivery: Delivery, attempt: Attempt, expected: string | null, query: Record<string, string>}} props
 */
function Signature({ delivery, attempt, expected, query }) {
  const { endpoint, attempts, id } = delivery;
  if (!endpoint) return html`<${Fold} title="Signature" open=${false}><p class="muted">The webhook was deleted, and its secret with it.</p></${Fold}>`;
  const { sent, verdict } = checkSignature(attempt.requestHeaders, endpoint.signatureHeader, expected);
  const numbers = [...new Set(attempts.map((other) => other.attempt))];
  const wasSent = Object.keys(attempt.requestHeaders).length > 0;
  const choose = (/** @type {any} */ event) => replace(['webhooks', id], { q: query.q, attempt: event.target.value });
  const rule = attempt.ruleId === null ? '' : html` <a href=${link(['rules', String(attempt.ruleId)])}>Rule ${attempt.ruleId}</a> changed this attempt.`;
  return html`<${Fold} title="Signature" note=${`${endpoint.signatureHeader}, HMAC-SHA256 in hex`}>
    ${numbers.length > 1 && html`<label class="row"><span>of attempt</span><select onChange=${choose}>
      ${numbers.map((number) => html`<option key=${number} value=${number} selected=${number === attempt.attempt}>${number}</option>`)}</select></label>`}
    ${wasSent ? html`<dl class="signature">
      <div><dt>sent by the server</dt><dd>
        ${sent === null ? html`<i class="muted">no header ${endpoint.signatureHeader}</i>` : html`<code>${sent}</code>`}</dd></div>
      <div><dt>computed in this page</dt><dd>
        ${expected === null ? html`<i class="muted">${HAS_CRYPTO ? 'computing…' : 'not available'}</i>` : html`<code>${expected}</code>`}</dd></div>
    </dl>
    <p><span class=${`chip ${SIGNATURE_CLASSES[verdict]}`}>${VERDICTS[verdict][0]}</span> ${VERDICTS[verdict][1]}
      ${verdict === 'wrong' || verdict === 'missing' ? rule : ''}</p>` : html`<p class="muted">Nothing was sent in this attempt.</p>`}
    ${!HAS_CRYPTO && html`<p class="muted">Browsers compute an HMAC only for pages from https or localhost. The command below does it anywhere.</p>`}
    <${Facts} pairs=${[
      ['secret', html`<span class="row wrap"><code>${endpoint.secret}</code><${Copy} text=${endpoint.secret} /></span>`],
      ['key', 'the whole secret as text, its prefix included'],
      ['signed bytes', `the body as it was sent, ${size(new TextEncoder().encode(attempt.requestBody).length)}, and nothing else`],
    ]} />
    <${Snippet} title="The same by openssl" text=${opensslLine(endpoint.secret, attempt.requestBody)} />
  </${Fold}>`;
}
