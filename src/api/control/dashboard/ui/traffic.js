// Traffic: every request as it comes, and beside it one request: what was sent, what came back and why.

import { CallError, withQuery } from './api.js';
import { FIELD_NAMES, parseFilter } from './filter.js';
import { FirstSteps } from './first-steps.js';
import { counted, duration, size } from './format.js';
import { AccountName, Action, BlobImage, Body, Copy, Empty, Fold, Headers, Icon, Menu, Problem, SearchInput, Status, Time } from './parts.js';
import { go, link, replace } from './router.js';
import { asCurl, asFetch, asPython, asVerify } from './snippets.js';
import { accountKey, clearRequests, hashOf, keyOf, rowKey, setPaused, state, useFetched, useStore } from './store.js';
import { html, useMemo } from './vendor/preact.js';
import { VirtualList } from './virtual-list.js';

/** @typedef {import('./store.js').RequestRow} RequestRow */

/** Rows of the selected account that match the filter. @param {string} text @returns {RequestRow[]} */
function useRows(text) {
  const version = useStore((all) => all.rowsVersion);
  const hash = useStore((all) => all.accountHash);
  const accounts = useStore((all) => all.accounts);
  return useMemo(() => {
    const matches = parseFilter(text);
    const key = accountKey();
    return state.rows.filter((row) => (hash === '' || row.account === key) && matches(row));
  }, [version, hash, accounts, text]);
}

/** Route of a row. @param {RequestRow} row */
const pathOf = (row) => ['traffic', hashOf(row.account), String(row.seq)];

/** @param {{route: import('./router.js').Route}} props */
export function Traffic({ route }) {
  const text = route.query.q ?? '';
  const rows = useRows(text);
  const [hash, seq] = route.parts;
  const account = hash === '-' ? null : keyOf(hash ?? '');
  const selected = seq ? `${account ?? ''}/${seq}` : null;
  const isPaused = useStore((all) => all.isPaused);
  const isAll = useStore((all) => all.accountHash === '');
  const hasRows = useStore((all) => all.rows.length > 0);
  const open = (/** @type {RequestRow} */ row) => go(pathOf(row), { q: text });
  if (!hasRows && !seq) return html`<${FirstSteps} />`;
  return html`<div class=${`split ${seq ? 'has-detail' : ''} ${isAll ? '' : 'one-account'}`}>
    <section class="list" aria-label="Requests">
      <${Toolbar} text=${text} count=${rows.length} />
      ${rows.length === 0
        ? html`<${Empty} title="No request matches"><p>The filter <code>${text}</code> hides all of them${accountKey() ? ', or this account has not called yet' : ''}.</p></${Empty}>`
        : html`<${VirtualList} label="Requests" rows=${rows} rowKey=${rowKey} selected=${selected} onOpen=${open} columns=${columnsOf(rows, isAll)}
            isFollowing=${!isPaused && !seq} onFollow=${(/** @type {boolean} */ isFollowing) => setPaused(!isFollowing)} />`}
    </section>
    ${seq && html`<section class="detail" aria-label="Request" key=${`${hash}/${seq}`}>
      <a class="back" href=${link(['traffic'], { q: text })}><${Icon} name="back" />Traffic</a>
      <${RequestDetail} account=${account} hash=${hash} seq=${Number(seq)} compareWith=${route.query.with} /></section>`}
  </div>`;
}

/** Returns the cells of a list of requests. @param {RequestRow[]} rows @param {boolean} isAll @returns {import('./virtual-list.js').Column[]} */
const columnsOf = (rows, isAll) => [
  {
    name: 'seq',
    head: '#',
    cell: ({ account, seq }) => html`${isAll && html`<${AccountName} account=${account} hash=${hashOf(account)} />`}<span class="muted number">${seq}</span>`,
  },
  { name: 'time', cell: (row) => html`<${Time} at=${row.at} real=${row.receivedAt} />` },
  {
    name: 'gap',
    cell: ({ receivedAt }, index) => {
      const gap = index ? Date.parse(receivedAt) - Date.parse(rows[index - 1].receivedAt) : 0;
      return gap >= 1 && `+${duration(gap)}`;
    },
  },
  { name: 'operation', cell: ({ operation }) => operation },
  { name: 'path', title: ({ path, query }) => (query ? `${path}?${query}` : path), cell: ({ method, path }) => html`<b>${method}</b> ${path}` },
  { name: 'status', cell: ({ status, fault }) => html`<${Status} status=${status} fault=${fault} />` },
  { name: 'ms', cell: ({ durationMs }) => durationMs },
  { name: 'rule', cell: ({ ruleId }) => ruleId !== null && html`<a href=${link(['rules', String(ruleId)])}>rule ${ruleId}</a>` },
];

/** @param {{text: string, count: number}} props */
function Toolbar({ text, count }) {
  const isPaused = useStore((all) => all.isPaused);
  const waiting = useStore((all) => all.waiting.size);
  const evicted = useStore((all) => all.evicted);
  const skipped = useStore((all) => all.skipped);
  const apply = (/** @type {string} */ value) => replace(['traffic'], { q: value });
  const words = (/** @type {string[]} */ values, /** @type {(value: string) => void} */ act) => html`<div class="row wrap">${values.map((value) =>
    html`<button key=${value} type="button" class="button small" data-close onClick=${() => act(value)}>${value}</button>`)}</div>`;
  const begin = (/** @type {string} */ field) => {
    apply(`${text} ${field}`.trim());
    // The input takes the text from the route only while it has no focus.
    setTimeout(() => /** @type {HTMLElement | null} */ (document.querySelector('.search input'))?.focus(), 50);
  };
  return html`<div class="toolbar"><${SearchInput} text=${text} placeholder="status:4xx operation:bizmori.* text" onText=${apply} />
    <${Menu} label="Filter"><p class="muted">Words are found anywhere in a row. <code>-</code> before a word excludes it. Fields, with <code>*</code> and <code>?</code>:</p>
      ${words(FIELD_NAMES.map((name) => `${name}:`), begin)}
      ${words(['status:4xx', 'status:5xx', 'status:pending', 'rule:*', 'operation:storage.*'], apply)}<//>
    <button type="button" class="button" aria-pressed=${isPaused} onClick=${() => setPaused(!isPaused)} title="Hold new requests back (p)">
      <${Icon} name=${isPaused ? 'play' : 'pause'} />${isPaused ? (waiting ? `Show ${waiting} new` : 'Follow') : 'Pause'}</button>
    <span class="muted count">${counted(count, 'request')}${evicted ? `, ${evicted.toLocaleString('en')} evicted` : ''}${skipped ? html`<span title="They came faster than the page shows them. The journal has them."> , ${skipped.toLocaleString('en')} skipped</span>` : ''}</span>
    <${ClearButton} />
  </div>`;
}

function ClearButton() {
  const key = accountKey();
  return html`<${Action} class="quiet" label="Clear" title=${key ? `Removes the recorded requests of ${key}` : 'Removes all recorded requests, of all accounts'} act=${async () => { await clearRequests(key); go(['traffic']); }} />`;
}

/** @param {{account: string | null, hash: string, seq: number, compareWith?: string}} props */
function RequestDetail({ account, hash, seq, compareWith }) {
  const accounts = useStore((all) => all.accounts);
  const isKnown = hash === '-' || accounts.some((known) => known.hash === hash);
  const row = useStore((all) => all.rows.find((known) => known.seq === seq && known.account === account));
  // Read again when the row changes: a response, or a body that was still coming.
  const path = isKnown ? withQuery(`requests/${account === null ? '-' : encodeURIComponent(account)}/${seq}`, {}) : null;
  const { data, error, reload } = useFetched(path, row?.status === null ? ['requests'] : []);
  const isBehind = data && row && data.revision < row.revision;
  if (isBehind) queueMicrotask(reload);
  if (error) return html`<${Missing} error=${error} seq=${seq} />`;
  if (!data) return html`<p class="muted pad">${isKnown ? 'Reading…' : 'The account of this link does not exist any more.'}</p>`;
  return html`<${Exchange} exchange=${data} hash=${hash} orderId=${row?.orderId ?? null} />
    ${compareWith && html`<${Compare} exchange=${data} account=${account} seq=${Number(compareWith)} />`}`;
}

/** @param {{error: CallError, seq: number}} props */
const Missing = ({ error, seq }) => error.status === 404
  ? html`<div class="pad"><h2>Request ${seq} is not kept</h2><p class="muted">The journal keeps the last requests of each account; this one was evicted or cleared.</p></div>`
  : html`<div class="pad"><${Problem} error=${error} /></div>`;

/** @param {{exchange: any, hash: string, orderId: string | null}} props */
function Exchange({ exchange, hash, orderId }) {
  const target = exchange.query ? `${exchange.path}?${exchange.query}` : exchange.path;
  return html`<article class="request">
    <header class="detail-head">
      <div class="title"><${Status} status=${exchange.status} fault=${exchange.fault} /><h2>${exchange.operation}</h2></div>
      <p class="target"><b>${exchange.method}</b> <span>${exchange.path}</span>${exchange.query && html`<span class="muted query">?${exchange.query}</span>`}</p>
      <p class="meta"><${AccountName} account=${exchange.account} hash=${hashOf(exchange.account)} /><span>request ${exchange.seq}</span>
        <${Time} at=${exchange.at} real=${exchange.receivedAt} /><span>${exchange.durationMs === null ? 'in flight' : duration(exchange.durationMs)}</span>
        ${orderId && html`<a href=${link(['orders', orderId])}>order ${orderId}</a>`}
        ${exchange.ruleId !== null && html`<a href=${link(['rules', String(exchange.ruleId)])}>rule ${exchange.ruleId}</a>`}</p>
      <div class="row wrap">
        <${Copy} label="curl" text=${() => asCurl(exchange)} /><${Copy} label="Python" text=${() => asPython(exchange)} /><${Copy} label="fetch" text=${() => asFetch(exchange)} />
        <${Copy} label="verify" text=${() => asVerify(exchange)} />
        <a class="button small primary" href=${link(['rules', 'new'], { from: `${hash}/${exchange.seq}` })}>Make a rule</a>
        <${CompareMenu} exchange=${exchange} hash=${hash} />
      </div>
    </header>
    <${Reason} exchange=${exchange} />
    ${exchange.status === 403 && /SignatureDoesNotMatch/.test(String(exchange.responseBody)) && html`<${SignatureDiff} exchange=${exchange} />`}
    <${Fold} title="Request" note=${target.length > 60 ? '' : `${exchange.method} ${target}`}>
      <${Fold} title="Headers" note=${Object.keys(exchange.requestHeaders ?? {}).length} open=${false}><${Headers} headers=${exchange.requestHeaders} /></${Fold}>
      ${exchange.query && html`<${Fold} title="Query" open=${exchange.query.length < 200}><${Headers} headers=${Object.fromEntries(new URLSearchParams(exchange.query))} /></${Fold}>`}
      <${Body} body=${exchange.requestBody} />
      <${Picture} exchange=${exchange} orderId=${orderId} />
    </${Fold}>
    <${Fold} title="Response" note=${exchange.status ?? 'not yet'}>
      <${Fold} title="Headers" note=${Object.keys(exchange.responseHeaders ?? {}).length} open=${false}><${Headers} headers=${exchange.responseHeaders} /></${Fold}>
      <${Body} body=${exchange.responseBody} />
    </${Fold}>
  </article>`;
}

/** Decision of the server, with its reason. @param {{exchange: any}} props */
function Reason({ exchange }) {
  const { reason, outcome, fault, ruleId, status } = exchange;
  if (!reason && !outcome && !fault) return null;
  const kind = status >= 500 || fault ? 'server' : reason && status >= 400 ? 'client' : 'ok';
  return html`<div class=${`reason ${kind}`}>
    ${fault && html`<p><b>Fault</b> ${fault}${ruleId !== null ? ` by rule ${ruleId}` : ''}: the response was broken on the wire.</p>`}
    ${reason && html`<p><b>Reason</b> ${reason}</p>`}
    ${outcome && html`<p><b>Outcome</b> ${outcome}</p>`}
  </div>`;
}

/** Thumbnail of an uploaded file, from the order that it belongs to. @param {{exchange: any, orderId: string | null}} props */
function Picture({ exchange, orderId }) {
  const isUpload = orderId && exchange.method === 'PUT' && exchange.operation.startsWith('storage.');
  const { data } = useFetched(isUpload ? `orders/${encodeURIComponent(orderId)}` : null);
  const name = decodeURIComponent(exchange.path.split('/').pop());
  const file = data?.files.find((/** @type {any} */ one) => one.name === name || exchange.path.endsWith(`/${encodeURIComponent(one.name)}`));
  if (!file?.blob || !/^image\/(png|jpeg|gif|webp|bmp)$/.test(file.contentType ?? '')) return null;
  return html`<figure class="thumb"><${BlobImage} id=${file.blob} alt=${`Uploaded file ${file.name}`} /><figcaption>${file.name} · ${size(file.bytes)}</figcaption></figure>`;
}

/** Menu with the requests to compare with: the last ones of the same operation first. @param {{exchange: any, hash: string}} props */
function CompareMenu({ exchange, hash }) {
  useStore((all) => all.rowsVersion);
  const others = state.rows.filter((row) => row.account === exchange.account && row.seq !== exchange.seq);
  const likely = others.filter((row) => row.operation === exchange.operation);
  const shown = [...likely.slice(-8).reverse(), ...others.filter((row) => row.operation !== exchange.operation).slice(-4).reverse()];
  if (!shown.length) return null;
  return html`<${Menu} label="Compare" class="small">
    <ul class="choices">${shown.map((row) => html`<li key=${row.seq}><a data-close href=${link(['traffic', hash, String(exchange.seq)], { with: String(row.seq) })}>
      <span class="muted">${row.seq}</span><${Status} status=${row.status} fault=${row.fault} /><span class="clip">${row.operation}</span></a></li>`)}</ul><//>`;
}

/** Differences between two requests. @param {{exchange: any, account: string | null, seq: number}} props */
function Compare({ exchange, account, seq }) {
  const { data, error } = useFetched(`requests/${account === null ? '-' : encodeURIComponent(account)}/${seq}`);
  if (error) return html`<${Problem} error=${error} />`;
  if (!data) return null;
  const [left, right] = [flatten(exchange), flatten(data)];
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].filter((name) => left[name] !== right[name]);
  return html`<section class="compare"><h3>Compared with request ${seq}</h3>
    ${names.length === 0 ? html`<p class="muted">They are equal but for number, time and duration.</p>` : html`<div class="table-box"><table><thead><tr><th>field</th><th>request ${exchange.seq}</th><th>request ${seq}</th></tr></thead>
      <tbody>${names.map((name) => html`<tr key=${name}><th scope="row">${name}</th><td>${left[name] ?? html`<i class="muted">absent</i>`}</td><td>${right[name] ?? html`<i class="muted">absent</i>`}</td></tr>`)}</tbody></table></div>`}
  </section>`;
}

const NOT_COMPARED = new Set(['seq', 'revision', 'at', 'receivedAt', 'durationMs', 'account']);

/** Every leaf of a request by its path. @param {any} value @param {string} [path] @returns {Record<string, string>} */
function flatten(value, path = '') {
  if (value === null || typeof value !== 'object') return { [path]: value === null ? 'null' : String(value) };
  return Object.assign({}, ...Object.entries(value).filter(([name]) => path || !NOT_COMPARED.has(name)).map(([name, inner]) => flatten(inner, path ? `${path}.${name}` : name)));
}

/** Names of the lines of a canonical request (AWS Signature Version 4, task 1). */
const LINES = ['method', 'path', 'query'];

/** Text of an element of S3's error document. @param {string} xml @param {string} name */
function element(xml, name) {
  const text = new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(xml)?.[1] ?? '';
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&apos;', "'").replaceAll('&amp;', '&');
}

/** Returns the line that the server's reason names: `method`, or a header. Empty if the reason names none. @param {string} reason */
function differingPart(reason) {
  if (/signed for host /.test(reason)) return 'host';
  if (/signed for [A-Z]+,/.test(reason)) return 'method';
  if (/Content-Type/.test(reason)) return 'content-type';
  return /signed header (\S+)/.exec(reason)?.[1] ?? '';
}

/** @param {{exchange: any}} props */
function SignatureDiff({ exchange }) {
  const xml = String(exchange.responseBody);
  const lines = element(xml, 'CanonicalRequest').split('\n');
  const differs = differingPart(exchange.reason ?? '');
  return html`<${Fold} title="Signature" note="as the server signs this request">
    <p class="muted">The URL is signed over these lines. Compare them with those of your client: ${differs ? 'the marked one differs.' : 'one of them differs, or the secret.'}</p>
    <div class="table-box"><table class="canonical"><tbody>${lines.map((line, index) => {
      const name = LINES[index] ?? (/^[a-z0-9-]+:/.test(line) ? 'header' : line === '' ? '' : index === lines.length - 1 ? 'payload' : 'signed headers');
      return html`<tr key=${index} class=${differs && (name === differs || line.startsWith(`${differs}:`)) ? 'differs' : ''}><th scope="row">${name}</th><td><code>${line}</code></td></tr>`;
    })}</tbody></table></div>
    <div class="headers"><div><span>string to sign</span><code>${element(xml, 'StringToSign')}</code></div><div><span>signature sent</span><code>${element(xml, 'SignatureProvided')}</code></div></div>
  </${Fold}>`;
}
