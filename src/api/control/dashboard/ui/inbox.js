// Inboxes: receivers of webhooks for those who have none, with what they received.

import { call, ORIGIN, withQuery } from './api.js';
import { parseWords } from './filter.js';
import { FirstWebhook } from './first-steps.js';
import { counted, duration, size, statusClass } from './format.js';
import { AccountName, Action, Ask, Body, Copy, Dialog, Facts, Field, Fold, Headers, NoMatch, Problem, SearchInput, Secret, Split, Table, Time,
  useMoves } from './parts.js';
import { go, link, replace } from './router.js';
import { accountKey, hashOf, state, useFetched, useListing, useStore } from './store.js';
import { html, useState } from './vendor/preact.js';

/**
 * @typedef {{name: string, account: string | null, statuses: number[], delayMs: number, secret: string | null,
 *   messages: number, evicted: number}} Inbox
 * @typedef {{at: string, headers: Record<string, string>, body: any, rawBody: string, signatureValid: boolean | null}} Message
 */

/** Number of messages shown at first. */
const MESSAGES_FIRST = 50;
/** Port of the server in its container. */
const CONTAINER_PORT = 8080;

const SECRETS = 'those of the webhooks whose URL is this inbox';

/** Path of an inbox. @param {Inbox} inbox */
const pathOf = ({ name }) => `inbox/${encodeURIComponent(name)}`;

/** @param {{route: import('./router.js').Route}} props */
export function InboxPage({ route }) {
  const account = useStore(accountKey);
  const { data, error, reload } = useListing(withQuery('inbox', { account }), 'inboxes', ['inbox', 'accounts']);
  const text = route.query.q ?? '';
  const { of, event } = route.query;
  const [name] = route.parts;
  /** @type {Inbox[]} */
  const inboxes = data ?? [];
  const shown = inboxes.filter(parseWords(text, {}, (inbox) => [inbox.name, inbox.account]));
  // Two accounts can have inboxes of one name.
  const selected = inboxes.find((inbox) => inbox.name === name && (!of || hashOf(inbox.account) === of));
  /** @param {Inbox} inbox */
  const queryOf = (inbox) => ({ of: hashOf(inbox.account), q: text });
  /** @param {Inbox} inbox */
  const open = (inbox) => go(['inbox', inbox.name], queryOf(inbox));
  useMoves(shown, selected ? shown.indexOf(selected) : -1, open);
  if (!data) return html`<div class="page"><${Problem} error=${error} /></div>`;
  const form = html`<${InboxForm} label="Set up an inbox" onDone=${(/** @type {Inbox} */ inbox) => { reload(); open(inbox); }} />`;
  if (!inboxes.length && !name) return html`<div class="page narrow"><${FirstWebhook} title="No inbox yet"><div>${form}</div><//></div>`;
  /** @type {[string, (inbox: Inbox) => any, string?][]} */
  const columns = [
    ['inbox', (inbox) => html`<a href=${link(['inbox', inbox.name], queryOf(inbox))}>${inbox.name}</a>`, 'wide'],
    ['account', (inbox) => html`<${AccountName} account=${inbox.account} />`, 'optional'],
    ['received', countText],
    ['next', answersText],
    ['delay', ({ delayMs }) => (delayMs ? `after ${duration(delayMs)}` : ''), 'optional'],
  ];
  /** @param {Inbox} inbox */
  const keyOf = (inbox) => `${inbox.account}/${inbox.name}`;
  const list = html`<div class="toolbar">
      <${SearchInput} text=${text} placeholder="name or account" onText=${(/** @type {string} */ q) => replace(['inbox'], { q })} />
      <span class="muted count">${counted(shown.length, 'inbox', 'inboxes')}</span>${form}</div>
    ${shown.length
      ? html`<div class="scroll"><${Table} rows=${shown} keyOf=${keyOf} open=${open} isSelected=${(/** @type {Inbox} */ inbox) => inbox === selected}
        columns=${columns} /></div>`
      : html`<${NoMatch} text=${text} />`}`;
  return html`<${Split} page="inbox" title="Inbox" one="Inbox" id=${name && `${of}/${name}`} text=${text} list=${list} detail=${selected
    ? html`<${InboxDetail} inbox=${selected} eventId=${event} onChange=${reload} />`
    : html`<p class="pad">There is no inbox ${name}. The first message makes it.</p>`} />`;
}

/** @param {Inbox} inbox */
const countText = ({ messages, evicted }) => counted(messages, 'message') + (evicted ? `, ${evicted} evicted` : '');

/** Statuses that the inbox answers from now on. @param {Inbox} inbox */
const answersText = ({ statuses, messages, evicted }) => {
  const left = statuses.slice(messages + evicted);
  return `answers ${left.join(', ')}${left.length ? ', then ' : ''}200`;
};

/** @param {{inbox: Inbox, eventId?: string, onChange: () => void}} props */
function InboxDetail({ inbox, eventId, onChange }) {
  const { data, error, reload } = useFetched(withQuery(`${pathOf(inbox)}/messages`, { account: inbox.account }), ['inbox']);
  const changed = () => {
    onChange();
    reload();
  };
  const remove = async () => {
    await call('DELETE', withQuery(pathOf(inbox), { account: inbox.account }));
    onChange();
    go(['inbox']);
  };
  return html`<article>
    <header class="detail-head">
      <h2>${inbox.name}</h2>
      <p class="meta"><${AccountName} account=${inbox.account} /><span>${countText(inbox)}</span></p>
      <div class="row wrap"><${InboxForm} label="Change its answers" inbox=${inbox} onDone=${changed} />
        <${Ask} label="Delete" title="Delete the inbox ${inbox.name}" class="small danger" act=${remove}>
          <p>Its ${counted(inbox.messages, 'message')} and its settings go. The next webhook to it makes it again.</p><//></div>
    </header>
    <${Settings} inbox=${inbox} />
    <${Problem} error=${error} />
    ${data && html`<${Messages} inbox=${inbox} messages=${data.messages} evicted=${data.evicted} eventId=${eventId} />`}
  </article>`;
}

/** Addresses of the inbox, and how it answers. @param {{inbox: Inbox}} props */
function Settings({ inbox }) {
  // Whoever comes for the messages does not need the addresses any more.
  const [isOpen] = useState(inbox.messages === 0);
  const address = (/** @type {string} */ origin) => {
    const url = `${origin}/_mock/${pathOf(inbox)}`;
    return html`<span class="row"><code>${url}</code><${Copy} text=${url} /></span>`;
  };
  return html`<${Fold} title="Address and settings" open=${isOpen} note=${answersText(inbox)}>
    <p class="muted">Register the URL as a webhook. The server itself calls it.</p>
    <${Facts} pairs=${[
      ['server on this host', address(ORIGIN)],
      ['in a container', address(`http://localhost:${CONTAINER_PORT}`)],
      ['delay', inbox.delayMs ? `${duration(inbox.delayMs)} of real time` : 'none'],
      ['secret', inbox.secret ? html`<span class="row wrap"><${Secret} secret=${inbox.secret} /></span>` : SECRETS],
    ]} /><//>`;
}

/** @param {{inbox: Inbox, messages: Message[], evicted: number, eventId?: string}} props */
function Messages({ inbox, messages, evicted, eventId }) {
  const [max, setMax] = useState(MESSAGES_FIRST);
  if (!messages.length) return html`<${FirstWebhook} title="No message yet" account=${inbox.account} inbox=${inbox.name} />`;
  const all = messages.map((message, index) => ({ message, ordinal: evicted + index })).reverse();
  const named = all.filter(({ message }) => eventId && message.body?.eventId === eventId);
  // A link names an event that can be older than the messages shown.
  const shown = all.filter((entry, index) => index < max || named.includes(entry));
  return html`<${Fold} title="Messages" note="${counted(messages.length, 'message')}, the newest first">
    ${eventId && !named.length && html`<p class="muted">The message of event ${eventId} is not kept any more.</p>`}
    ${shown.map((entry, index) => html`<${MessageFold} key=${entry.ordinal} message=${entry.message} ordinal=${entry.ordinal}
      status=${inbox.statuses[entry.ordinal] ?? 200} isOpen=${named.length ? named.includes(entry) : index === 0} />`)}
    ${all.length > max && html`<button type="button" class="button" onClick=${() => setMax(max * 4)}>Show more</button>`}<//>`;
}

/** @param {{message: Message, ordinal: number, status: number, isOpen: boolean}} props */
function MessageFold({ message: { at, headers, body, rawBody, signatureValid }, ordinal, status, isOpen }) {
  const color = signatureValid === null ? '' : signatureValid ? 'ok' : 'server';
  const validity = { '': 'not checked', ok: 'valid', server: 'invalid' }[color];
  const orderId = body?.data?.orderId;
  return html`<${Fold} open=${isOpen} note=${html`<${Time} at=${at} />`}
      title=${html`<span class="row wrap">${ordinal + 1} <span>${String(body?.eventType ?? headers['content-type'])}</span>
        <span class="chip ${color}">signature ${validity}</span><span class="chip ${statusClass(status)}">answered ${status}</span></span>`}>
    <p class="row wrap">${orderId && html`<a href=${link(['orders', String(orderId)])}>order ${String(orderId)}</a>`}
      ${body?.eventId && html`<a href=${link(['webhooks'], { q: String(body.eventId) })}>delivery of this event</a>`}
      <${Copy} label="Copy the body" text=${rawBody} /><span class="muted">${size(new Blob([rawBody]).size)}</span></p>
    <${Body} body=${body} />
    <${Fold} title="Headers" note=${Object.keys(headers).length} open=${false}><${Headers} headers=${headers} /><//>
    <${Fold} title="As it came" note="the signed bytes" open=${false}>
      <pre class="body" tabindex="0" aria-label="Body as it came">${rawBody}</pre><//><//>`;
}

/** Lists of statuses to start from. */
const EXAMPLES = { 'succeeds at the third attempt': '500, 500, 200', 'fails all seven attempts': Array(7).fill(500).join(', '), 'redirects once': '302' };

/**
 * Button with a form that sets up an inbox: how it answers, and how it checks signatures.
 * @param {{label: string, inbox?: Inbox, onDone: (inbox: Inbox) => void}} props
 */
function InboxForm({ label, inbox, onDone }) {
  const [draft, set] = useState(/** @type {any} */ (null));
  const start = () => set({ name: '', account: accountKey(), ...inbox, statuses: inbox?.statuses.join(', ') });
  const close = () => set(null);
  const { name, statuses = '', delayMs, secret, account } = draft ?? { name: '' };
  const words = statuses.split(/[\s,]+/).filter(Boolean);
  const isWrong = words.some((/** @type {string} */ word) => !/^[2-5]\d\d$/.test(word));
  const save = async () => {
    const body = { statuses: words.map(Number), delayMs, secret: secret || undefined, account: account || undefined };
    onDone(await call('PUT', pathOf({ ...draft, name: name.trim() }), body));
    close();
  };
  const field = (/** @type {string} */ id) => ({ value: draft[id], set: (/** @type {any} */ value) => set({ ...draft, [id]: value }) });
  return html`<button type="button" class="button ${inbox && 'small'}" onClick=${start}>${label}</button>
    ${draft && html`<${Dialog} title="${label}${inbox ? `: ${inbox.name}` : ''}" onClose=${close}>
      ${!inbox && html`<${Field} label="Name" maxlength="200" autofocus ...${field('name')} />
      <${Field} label="Account" ...${field('account')} options=${Object.fromEntries([['', 'the one whose webhook posts to it first'],
        ...state.accounts.map(({ key }) => [key, key])])} />`}
      <${Field} label="Statuses" placeholder="500, 500, 200" aria-invalid=${isWrong} ...${field('statuses')}
        note=${isWrong ? 'Each is a number from 200 to 599.' : 'One for each message, in this order; then 200.'} />
      <div class="row wrap" role="group" aria-label="Examples">${Object.entries(EXAMPLES).map(([title, value]) => html`
        <button key=${title} type="button" class="button small" onClick=${() => set({ ...draft, statuses: value })}>${title}</button>`)}</div>
      <${Field} label="Delay in milliseconds" type="number" max="600000" ...${field('delayMs')} note="Of real time. A webhook gives up after 5000." />
      <${Field} label="Secret" placeholder=${SECRETS} ...${field('secret')} note="To check signatures with." />
      ${inbox && inbox.messages > 0 && html`<p class="problem">${counted(inbox.messages, 'message')} will be removed.</p>`}
      <div><${Action} class=${inbox?.messages ? 'danger' : 'primary'} label=${inbox?.messages ? 'Empty it and save' : 'Save'}
        isDisabled=${!name?.trim() || isWrong} act=${save} /></div><//>`}`;
}
