// Inboxes: receivers of webhooks for those who have none, with what they received.

import { call, ORIGIN, withQuery } from './api.js';
import { FirstMessage, FirstWebhook } from './first-webhook.js';
import { counted, duration, size, statusClass } from './format.js';
import { InboxForm } from './inbox-form.js';
import { AccountName, Action, Body, Copy, Dialog, Empty, Facts, Fold, Headers, Icon, Problem, SearchInput, Secret, Time } from './parts.js';
import { go, link, replace } from './router.js';
import { accountKey, hashOf, useFetched, useListing, useStore } from './store.js';
import { html, useEffect, useMemo, useState } from './vendor/preact.js';

/**
 * @typedef {{name: string, account: string | null, statuses: number[], delayMs: number, secret: string | null,
 *   messages: number, evicted: number}} Inbox
 * @typedef {{at: string, headers: Record<string, string>, body: any, rawBody: string, signatureValid: boolean | null}} Message
 */

/** Messages that are shown until more are asked for. */
const MESSAGES_FIRST = 50;
/** Port of the server in its container. */
const CONTAINER_PORT = 8080;

/** Route of an inbox: two accounts can have inboxes of one name. @param {Inbox} inbox @returns {[string[], Record<string, string>]} */
const routeOf = (inbox) => [['inbox', inbox.name], { of: hashOf(inbox.account) }];

/** @param {{route: import('./router.js').Route}} props */
export function InboxPage({ route }) {
  useStore((all) => all.accountHash);
  useStore((all) => all.accounts);
  const { data, error, reload } = useListing(withQuery('inbox', { account: accountKey() }), 'inboxes', ['inbox', 'accounts']);
  const [isAdding, setAdding] = useState(false);
  const text = route.query.q ?? '';
  /** @type {Inbox[]} */
  const inboxes = data ?? [];
  const shown = useMemo(() => inboxes.filter(({ name, account }) => `${name} ${account ?? ''}`.toLowerCase().includes(text.toLowerCase())), [data, text]);
  const [name] = route.parts;
  const { of } = route.query;
  const selected = name === undefined ? undefined : inboxes.find((inbox) => inbox.name === name && (!of || hashOf(inbox.account) === of));
  useMoves(shown, selected, text);
  const done = (/** @type {Inbox} */ inbox) => {
    setAdding(false);
    reload();
    const [path, query] = routeOf(inbox);
    go(path, query);
  };
  const form = isAdding && html`<${InboxForm} onClose=${() => setAdding(false)} onDone=${done} />`;
  if (error && !data) return html`<div class="page"><${Problem} error=${error} /></div>`;
  if (!data) return html`<p class="muted pad">Reading…</p>`;
  if (!inboxes.length && !name) {
    return html`<div class="page narrow"><${FirstWebhook} title="No inbox yet" />
      <div class="row"><button type="button" class="button" onClick=${() => setAdding(true)}>Set up an inbox</button></div>${form}</div>`;
  }
  return html`<div class=${`split inboxes ${name === undefined ? '' : 'has-detail'}`}>
    <section class="list" aria-label="Inboxes">
      <div class="toolbar">
        <${SearchInput} text=${text} placeholder="name or account" onText=${(/** @type {string} */ value) => replace(['inbox'], { q: value })} />
        <span class="muted count">${counted(shown.length, 'inbox', 'inboxes')}</span>
        <button type="button" class="button" onClick=${() => setAdding(true)}>Set up an inbox</button></div>
      ${shown.length
        ? html`<${Table} inboxes=${shown} selected=${selected} text=${text} />`
        : html`<${Empty} title="No inbox matches"><p>The filter <code>${text}</code> hides all of them.</p></${Empty}>`}
    </section>
    ${name !== undefined && html`<section class="detail" aria-label="Inbox" key=${`${of}/${name}`}>
      <a class="back" href=${link(['inbox'], { q: text })}><${Icon} name="back" />Inbox</a>
      ${selected
        ? html`<${InboxDetail} inbox=${selected} eventId=${route.query.event ?? null} onChange=${reload} />`
        : html`<${Missing} name=${name} />`}</section>`}
    ${form}
  </div>`;
}

/** @param {{name: string}} props */
const Missing = ({ name }) => html`<div class="pad"><h2>There is no inbox ${name}</h2>
  <p class="muted">The first message makes it, or <b>Set up an inbox</b>. It goes with its account, and when the account is reset.</p></div>`;

/** @param {{inboxes: Inbox[], selected?: Inbox, text: string}} props */
function Table({ inboxes, selected, text }) {
  const open = (/** @type {Inbox} */ inbox) => {
    const [path, query] = routeOf(inbox);
    go(path, { ...query, q: text });
  };
  return html`<div class="inbox-table"><table>
    <thead><tr><th>inbox</th><th class="i-account">account</th><th>messages</th><th>answers</th><th class="i-delay">delay</th></tr></thead>
    <tbody>${inboxes.map((inbox) => {
      const [path, query] = routeOf(inbox);
      return html`<tr key=${`${inbox.account}/${inbox.name}`} class="link" aria-selected=${inbox === selected} onClick=${() => open(inbox)}>
        <th scope="row"><a href=${link(path, { ...query, q: text })}>${inbox.name}</a></th>
        <td class="i-account"><${AccountName} account=${inbox.account} hash=${hashOf(inbox.account)} /></td>
        <td class="number">
          ${inbox.messages.toLocaleString('en')}${inbox.evicted > 0 && html` <span class="muted">+ ${inbox.evicted.toLocaleString('en')} evicted</span>`}</td>
        <td><${Answers} inbox=${inbox} /></td>
        <td class="i-delay">${inbox.delayMs ? duration(inbox.delayMs) : html`<span class="muted">none</span>`}</td></tr>`;
    })}</tbody></table></div>`;
}

/** Status of the response to the message with this ordinal, from 0. @param {Inbox} inbox @param {number} ordinal */
const statusOf = (inbox, ordinal) => inbox.statuses[ordinal] ?? 200;

/** Statuses that the inbox answers from now on. @param {{inbox: Inbox}} props */
function Answers({ inbox }) {
  const left = inbox.statuses.slice(inbox.messages + inbox.evicted);
  if (!left.length) return html`<span class="muted">200</span>`;
  const more = left.length > 6 ? `, … ${left.length - 6} more` : '';
  return html`<span title="Statuses of the next responses, then 200">${left.slice(0, 6).join(', ')}${more}<span class="muted">, then 200</span></span>`;
}

/** Moves the selection by `j` and `k`. @param {Inbox[]} shown @param {Inbox | undefined} selected @param {string} text */
function useMoves(shown, selected, text) {
  useEffect(() => {
    const onMove = (/** @type {any} */ event) => {
      const index = selected ? shown.indexOf(selected) : -1;
      const next = index < 0 ? shown[0] : shown[index + event.detail];
      if (!next) return;
      const [path, query] = routeOf(next);
      go(path, { ...query, q: text });
    };
    addEventListener('dashboard-move', onMove);
    return () => removeEventListener('dashboard-move', onMove);
  }, [shown, selected, text]);
}

/** @param {{inbox: Inbox, eventId: string | null, onChange: () => void}} props */
function InboxDetail({ inbox, eventId, onChange }) {
  const [dialog, setDialog] = useState(/** @type {'form' | 'delete' | null} */ (null));
  const path = withQuery(`inbox/${encodeURIComponent(inbox.name)}/messages`, { account: inbox.account });
  const { data, error, reload } = useFetched(path, ['inbox']);
  const changed = () => {
    setDialog(null);
    onChange();
    reload();
  };
  const remove = async () => {
    await call('DELETE', withQuery(`inbox/${encodeURIComponent(inbox.name)}`, { account: inbox.account }));
    onChange();
    go(['inbox']);
  };
  const stored = counted(inbox.messages, 'message');
  return html`<article class="inbox">
    <header class="detail-head">
      <div class="title"><h2>${inbox.name}</h2></div>
      <p class="meta"><${AccountName} account=${inbox.account} hash=${hashOf(inbox.account)} />
        <span>${stored}${inbox.evicted ? `, ${inbox.evicted.toLocaleString('en')} older ones evicted` : ''}</span></p>
      <div class="row wrap"><button type="button" class="button small" onClick=${() => setDialog('form')}>Change its answers</button>
        <button type="button" class="button small danger" onClick=${() => setDialog('delete')}>Delete</button></div>
    </header>
    <${Settings} inbox=${inbox} />
    <${Problem} error=${error} />
    <${Messages} inbox=${inbox} messages=${data?.messages ?? null} evicted=${data?.evicted ?? 0} eventId=${eventId} />
    ${dialog === 'form' && html`<${InboxForm} inbox=${inbox} onClose=${() => setDialog(null)} onDone=${changed} />`}
    ${dialog === 'delete' && html`<${Dialog} title=${`Delete the inbox ${inbox.name}`} onClose=${() => setDialog(null)}>
      <p>The inbox${inbox.messages ? `, its ${stored}` : ''} and its settings go. The next message that a webhook sends makes it again, and is answered 200.</p>
      <div class="row"><${Action} class="danger" label="Delete" act=${remove} />
        <button type="button" class="button" onClick=${() => setDialog(null)}>Keep it</button></div><//>`}
  </article>`;
}

/** Addresses of the inbox, and how it answers. @param {{inbox: Inbox}} props */
function Settings({ inbox }) {
  const path = `/_mock/inbox/${encodeURIComponent(inbox.name)}`;
  const { protocol, port } = new URL(ORIGIN);
  const addresses = [
    ['server on this host', `${ORIGIN}${path}`],
    ['server in a container, by its own port', `http://localhost:${CONTAINER_PORT}${path}`],
    ['server in a container, by its name', `http://stuntdouble:${CONTAINER_PORT}${path}`],
    ['server in a container, by the port of the host', `${protocol}//host.docker.internal${port ? `:${port}` : ''}${path}`],
  ];
  // Whoever comes for the messages does not need the addresses any more.
  const [isOpen] = useState(inbox.messages === 0);
  return html`<${Fold} title="Address and settings" open=${isOpen} note=${html`answers <${Answers} inbox=${inbox} />`}>
    <p class="muted">Register one of these as the webhook's URL. The server itself calls it.</p>
    <dl class="addresses">${addresses.map(([name, url]) => html`
      <div key=${name}><dt>${name}</dt><dd><code>${url}</code><${Copy} text=${url} /></dd></div>`)}</dl>
    <${Facts} pairs=${[
      ['next answers', html`<${Answers} inbox=${inbox} />`],
      ['delay', inbox.delayMs ? `${duration(inbox.delayMs)} of real time before each answer${inbox.delayMs >= 5000 ? '; webhooks wait 5 s' : ''}` : 'none'],
      ['secret', inbox.secret === null
        ? 'those of the webhooks whose URL is this inbox'
        : html`<span class="row wrap"><${Secret} secret=${inbox.secret} /></span>`],
    ]} />
  </${Fold}>`;
}

/** @param {{inbox: Inbox, messages: Message[] | null, evicted: number, eventId: string | null}} props */
function Messages({ inbox, messages, evicted, eventId }) {
  const [max, setMax] = useState(MESSAGES_FIRST);
  if (!messages) return html`<p class="muted pad">Reading…</p>`;
  if (!messages.length) return html`<${FirstMessage} account=${inbox.account} name=${inbox.name} />`;
  const numbered = messages.map((message, index) => ({ message, ordinal: evicted + index })).reverse();
  const isNamed = (/** @type {Message} */ message) => eventId !== null && message.body?.eventId === eventId;
  // A link names an event that can be older than the messages shown.
  const shown = numbered.filter(({ message }, index) => index < max || isNamed(message));
  const hasNamed = numbered.some(({ message }) => isNamed(message));
  return html`<${Fold} title="Messages" note=${`${counted(messages.length, 'message')}, the newest first`}>
    ${eventId !== null && !hasNamed && html`<p class="muted">The message of event ${eventId} is not kept any more.</p>`}
    ${shown.map(({ message, ordinal }, index) => html`<${MessageFold} key=${ordinal} message=${message} ordinal=${ordinal}
      status=${statusOf(inbox, ordinal)} isOpen=${hasNamed ? isNamed(message) : index === 0} />`)}
    ${numbered.length > max && html`<button type="button" class="button" onClick=${() => setMax(max * 4)}>Show more</button>`}
  </${Fold}>`;
}

/** @param {{valid: boolean | null}} props */
const Validity = ({ valid }) => (valid === null
  ? html`<span class="chip" title="There is no secret to check the signature with">not checked</span>`
  : html`<span class=${`chip ${valid ? 'ok' : 'server'}`}>${valid ? 'signature valid' : 'signature invalid'}</span>`);

/** @param {{message: Message, ordinal: number, status: number, isOpen: boolean}} props */
function MessageFold({ message, ordinal, status, isOpen }) {
  const { at, headers, body, rawBody, signatureValid } = message;
  const isEvent = typeof body?.eventId === 'string';
  const orderId = typeof body?.data?.orderId === 'string' ? body.data.orderId : null;
  const title = typeof body?.eventType === 'string' ? body.eventType : headers['content-type'] ?? 'message';
  return html`<${Fold} open=${isOpen} note=${html`<${Time} at=${at} />`}
      title=${html`<span class="row wrap"><span class="number">${ordinal + 1}</span><span>${title}</span>
        <${Validity} valid=${signatureValid} /><span class=${`chip ${statusClass(status)}`}>answered ${status}</span></span>`}>
    <p class="row wrap">${orderId && html`<a href=${link(['orders', orderId])}>order ${orderId}</a>`}
      ${isEvent && html`<a href=${link(['webhooks'], { q: body.eventId })}>delivery of this event</a>`}
      <${Copy} label="Copy the body" text=${rawBody} /><span class="muted">${size(new TextEncoder().encode(rawBody).length)}</span></p>
    <${Body} body=${body} />
    <${Fold} title="Headers" note=${Object.keys(headers).length} open=${false}><${Headers} headers=${headers} /></${Fold}>
    <${Fold} title="As it came" note="the bytes that the signature is about" open=${false}>
      <pre class="body" tabindex="0" aria-label="Body as it came">${rawBody}</pre></${Fold}>
  </${Fold}>`;
}
