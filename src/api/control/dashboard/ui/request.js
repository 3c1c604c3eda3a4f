// One request with its response: what was sent, what came back and why.

import { CallError, withQuery } from './api.js';
import { duration, size } from './format.js';
import { Body, Copy, Facts, Fold, Headers, Menu, Problem, Status, Time, AccountName } from './parts.js';
import { link } from './router.js';
import { asCurl, asFetch, asPython, asVerify } from './snippets.js';
import { SignatureDiff } from './signature.js';
import { hashOf, state, useFetched, useStore } from './store.js';
import { html } from './vendor/preact.js';

/** @param {{account: string | null, hash: string, seq: number, compareWith?: string}} props */
export function RequestDetail({ account, hash, seq, compareWith }) {
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

/** What the server decided, and why. @param {{exchange: any}} props */
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
  return html`<figure class="thumb"><img src=${`blobs/${file.blob}`} alt=${`Uploaded file ${file.name}`} loading="lazy" /><figcaption>${file.name} · ${size(file.bytes)}</figcaption></figure>`;
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

