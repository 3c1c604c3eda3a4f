// Small parts that every page uses.

import { controlToken, send } from './api.js';
import { clockNow, hashOf, state } from './store.js';
import { counted, hue, relative, size, statusClass, timeOfDay } from './format.js';
import { link } from './router.js';
import { html, useEffect, useReducer, useRef, useState } from './vendor/preact.js';

const PATHS = {
  now: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M8 4.5V8l2.4 1.6',
  traffic: 'M2 5h9.5M9 2.5 11.5 5 9 7.5M14 11H4.5M7 8.5 4.5 11 7 13.5',
  orders: 'M3 2.5h10v11H3zM5.5 6h5M5.5 8.5h5M5.5 11h3',
  webhooks: 'M8 2v6.5M5 6l3 3 3-3M2.5 10.5v3h11v-3',
  inbox: 'M2.5 9 4.5 3h7l2 6v4.5h-11zM2.5 9h3.2l1 1.8h2.6l1-1.8h3.2',
  rules: 'M2 4.5h7M12 4.5h2M2 11.5h2M7 11.5h7M9 3v3h3V3zM4 10v3h3v-3z',
  report: 'M8 2 2 13.5h12zM8 6.2v3.6M8 11.4v.4',
  state: 'M8 2c3.3 0 5.5.9 5.5 2S11.3 6 8 6 2.5 5.1 2.5 4 4.7 2 8 2M2.5 4v8c0 1.1 2.2 2 5.5 2s5.5-.9 5.5-2V4M2.5 8c0 1.1 2.2 2 5.5 2s5.5-.9 5.5-2',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  check: 'M3 8.5 6.5 12 13 4.5',
  close: 'M4 4l8 8M12 4l-8 8',
  back: 'M9.5 3.5 5 8l4.5 4.5',
  down: 'M4 6l4 4 4-4',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.2v9.6L12.5 8z',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3 13.5 13.5',
};

/** Icon of 16 px, for decoration. @param {{name: keyof typeof PATHS}} props */
export const Icon = ({ name }) => html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;

/** Button that copies a text. @param {{text: string | (() => string | Promise<string>), label?: string, class?: string}} props */
export function Copy({ text, label = 'Copy', class: name = '' }) {
  const [isDone, setDone] = useState(false);
  const copy = async () => {
    await copyText(typeof text === 'string' ? text : await text());
    setDone(true);
    setTimeout(() => setDone(false), 1200);
  };
  return html`<button type="button" class="button small ${name}" onClick=${copy}>
    <${Icon} name=${isDone ? 'check' : 'copy'} />${isDone ? 'Copied' : label}
  </button>`;
}

/** Secret behind a button, so that it is not on the screen by accident. @param {{secret: string}} props */
export function Secret({ secret }) {
  const [isShown, setShown] = useState(false);
  return html`${isShown && html`<code>${secret}</code>`}
    <button type="button" class="button small" aria-pressed=${isShown} onClick=${() => setShown(!isShown)}>${isShown ? 'Hide' : 'Secret'}</button>
    ${isShown && html`<${Copy} text=${secret} />`}`;
}

/** Copies a text, also where the page has no clipboard because its origin is not secure. @param {string} text */
export async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

/** Snippet of code with a copy button. @param {{text: string, title?: string}} props */
export const Snippet = ({ text, title }) => html`<figure class="snippet">
  <figcaption>${title ?? ''}<${Copy} text=${text} /></figcaption>
  <pre tabindex="0" aria-label=${title ?? 'Code'}>${text}</pre>
</figure>`;

/** Time of day by the account's clock; the tooltip has the whole instant, and the real time. @param {{at: string | null, real?: string | null}} props */
export function Time({ at, real }) {
  if (!at) return html`<span class="muted">–</span>`;
  return html`<time datetime=${at} title=${real ? `${at} by the account's clock\n${real} in real time` : `${at} by the account's clock`}>${timeOfDay(at)}</time>`;
}

/** Renders its place again every `ms` while the tab is visible. @param {number} ms */
export function useTick(ms) {
  const [, tick] = useReducer((count) => count + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || tick(undefined), ms);
    return () => clearInterval(timer);
  }, [ms]);
}

/**
 * Time until, or since, an instant by the account's clock. `now` reads that clock; by default it is the one in the top bar.
 * `isShort` fits a cell: `1 h` for `in 1 h 59 min`.
 * @param {{at: string | null, now?: () => number, isShort?: boolean}} props
 */
export function Countdown({ at, now = clockNow, isShort = false }) {
  useTick(state.clock?.mode === 'frozen' && now === clockNow ? 5000 : 500);
  if (!at) return null;
  const text = relative(Date.parse(at), now());
  const short = Date.parse(at) > now() ? text.slice(3).split(' ', 2).join(' ') : 'due';
  return html`<span class="countdown" title="${text}: ${at} by the account's clock">${isShort ? short : text}</span>`;
}

/** Status code of a response. @param {{status: number | null, fault?: string | null}} props */
export const Status = ({ status, fault }) =>
  html`<span class="chip ${fault ? 'server' : statusClass(status)}">${fault ? fault : status ?? '···'}</span>`;

/** State of an order or a delivery. @param {{state: string, label?: string}} props */
export const StateChip = ({ state: name, label }) => html`<span class="chip state-${name}">${label ?? name}</span>`;

/** Dot in the colour of an account, and the start of its key. @param {{account: string | null, hash?: string, full?: boolean}} props */
export function AccountName({ account, hash = hashOf(account), full = false }) {
  if (account === null) return html`<span class="account muted">no account</span>`;
  return html`<span class="account" title=${account}><${Dot} hash=${hash} /><span class=${full ? '' : 'clip'}>${account}</span></span>`;
}

/** Dot in the colour of an account. @param {{hash: string}} props */
export const Dot = ({ hash }) => html`<svg class="dot" viewBox="0 0 10 10" aria-hidden="true"><circle cx="5" cy="5" r="4.5" fill=${hash === '-' ? 'currentColor' : `hsl(${hue(hash)} 60% 52%)`} /></svg>`;

/** Message where a page has nothing to show. @param {{title: string, children?: any}} props */
export const Empty = ({ title, children }) => html`<section class="empty"><h2>${title}</h2>${children}</section>`;

/** Message of a list whose filter hides all entries. @param {{text: string}} props */
export const NoMatch = ({ text }) => html`<${Empty} title="Nothing matches"><p>The filter <code>${text}</code> hides all of them.</p><//>`;

/**
 * Filter of a list. The route follows the input. The input follows the route only while nobody types.
 * @param {{text: string, placeholder: string, onText: (text: string) => void}} props
 */
export function SearchInput({ text, placeholder, onText }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    if (input.current && document.activeElement !== input.current) input.current.value = text;
  }, [text]);
  return html`<label class="search"><${Icon} name="search" /><input type="search" aria-label="Filter" placeholder=${placeholder} ref=${input}
    onInput=${(/** @type {any} */ event) => onText(event.target.value)} /></label>`;
}

/** Error of a call. @param {{error: any}} props */
export const Problem = ({ error }) =>
  error ? html`<div class="problem" role="alert"><b>${error.message}</b>${error.hint && html`<p>${error.hint}</p>`}</div>` : null;

/** Section of a detail that can be folded. @param {{title: any, open?: boolean, note?: any, children?: any}} props */
export const Fold = ({ title, open = true, note, children }) =>
  html`<details class="fold" open=${open}><summary><${Icon} name="down" /><span>${title}</span><span class="muted">${note}</span></summary><div class="fold-body">${children}</div></details>`;

/** Names with their values. @param {{pairs: [string, any][]}} props */
export const Facts = ({ pairs }) =>
  html`<dl class="facts">${pairs.filter(([, value]) => value !== null && value !== undefined && value !== '').map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

/** Body of a request or response: JSON as a tree, text as it is, other bytes as size and digest. @param {{body: any}} props */
export function Body({ body }) {
  if (body === null || body === undefined || body === '') return html`<p class="muted">No body</p>`;
  if (typeof body === 'string') return html`<pre class="body" tabindex="0">${body}</pre>`;
  if (typeof body.sha256 === 'string' && typeof body.bytes === 'number') {
    return html`<${Facts} pairs=${[['size', `${size(body.bytes)} (${counted(body.bytes, 'byte')})`], ['SHA-256', html`<code>${body.sha256}</code>`]]} />
      ${body.text && html`<pre class="body" tabindex="0">${body.text}…</pre>`}`;
  }
  return html`<div class="json" role="group"><${JsonNode} value=${body} depth=${0} /></div>`;
}

/** @param {{name?: string, value: any, depth: number, isLast?: boolean}} props */
function JsonNode({ name, value, depth, isLast = true }) {
  const comma = isLast ? '' : ',';
  const label = name === undefined ? null : html`<span class="json-key">${JSON.stringify(name)}</span>: `;
  if (value === null || typeof value !== 'object') {
    const kind = value === null ? 'null' : typeof value;
    return html`<div class="json-line">${label}<span class="json-${kind}">${JSON.stringify(value)}</span>${comma}</div>`;
  }
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  const entries = Object.entries(value);
  if (!entries.length) return html`<div class="json-line">${label}${open}${close}${comma}</div>`;
  return html`<details open=${depth < 4 && entries.length <= 50}>
    <summary>${label}${open}<span class="json-folded"> ${counted(entries.length, 'entry', 'entries')} ${close}${comma}</span></summary>
    <div class="json-inner">${entries.map(([key, inner], index) => html`<${JsonNode} key=${key} name=${Array.isArray(value) ? undefined : key} value=${inner} depth=${depth + 1} isLast=${index === entries.length - 1} />`)}</div>
    <div class="json-line">${close}${comma}</div>
  </details>`;
}

/** Headers, one a line. @param {{headers: Record<string, string> | null}} props */
export const Headers = ({ headers }) =>
  html`<div class="headers">${Object.entries(headers ?? {}).map(([name, value]) => html`<div key=${name}><span>${name}</span><code>${value}</code></div>`)}</div>`;

/** Modal dialog that Escape closes. @param {{title: string, onClose: () => void, children?: any, wide?: boolean}} props */
export function Dialog({ title, onClose, children, wide = false }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const opener = /** @type {HTMLElement | null} */ (document.activeElement);
    dialog.current?.showModal();
    // A dialog that is removed while it is open does not give the focus back.
    return () => void (document.activeElement === document.body && opener?.focus());
  }, []);
  return html`<dialog ref=${dialog} class=${wide ? 'wide' : ''} aria-label=${title} onClose=${onClose} onClick=${(/** @type {any} */ event) => event.target === dialog.current && dialog.current?.close()}>
    <header><h2>${title}</h2><button type="button" class="button icon-only" aria-label="Close" onClick=${() => dialog.current?.close()}><${Icon} name="close" /></button></header>
    <div class="dialog-body">${children}</div>
  </dialog>`;
}

/**
 * Button that opens a menu. Escape and a click elsewhere close it.
 * @param {{label: any, title?: string, children?: any, class?: string}} props
 */
export function Menu({ label, title, children, class: name = '' }) {
  const menu = useRef(/** @type {HTMLDetailsElement | null} */ (null));
  useEffect(() => {
    const close = (/** @type {any} */ event) => {
      const isInside = event.type === 'click' && menu.current?.contains(event.target) && !event.target.closest('[data-close]');
      if (menu.current?.open && !isInside && (event.type === 'click' || event.key === 'Escape')) {
        menu.current.open = false;
        if (!event.key) return;
        event.preventDefault();
        menu.current.querySelector('summary')?.focus();
      }
    };
    addEventListener('click', close);
    addEventListener('keydown', close);
    return () => {
      removeEventListener('click', close);
      removeEventListener('keydown', close);
    };
  }, []);
  return html`<details class="menu ${name}" ref=${menu}><summary class="button" title=${title}>${label}</summary><div class="menu-body">${children}</div></details>`;
}

/**
 * Button for an action that calls the server. It does nothing meanwhile, but keeps the focus, and shows the error beside it.
 * @param {{label: any, act: () => Promise<any>, class?: string, title?: string, isDisabled?: boolean}} props
 */
export function Action({ label, act, class: name = '', title, isDisabled = false }) {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {any} */ (null));
  const run = async () => {
    if (isBusy) return;
    setBusy(true);
    setError(null);
    try {
      await act();
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  return html`<button type="button" class="button ${name}" title=${title} disabled=${isDisabled} aria-disabled=${isBusy} onClick=${run}>${label}</button>${error && html`<${Problem} error=${error} />`}`;
}

/** Returns the bytes of a file or output. @param {string} id @returns {Promise<Blob>} */
export async function readBlob(id) {
  const response = await send(`blobs/${id}`);
  if (!response.ok) throw new Error(response.status === 404 ? 'These bytes are not stored any more.' : `The server answered ${response.status}.`);
  return response.blob();
}

/**
 * Picture of an order. An `<img>` cannot send the control token, so with a token the bytes are fetched.
 * @param {{id: string, alt: string, class?: string, style?: Record<string, string>}} props
 */
export function BlobImage({ id, alt, class: name = '', style }) {
  const direct = controlToken() ? '' : `blobs/${id}`;
  const [fetched, setFetched] = useState({ id: '', url: '' });
  const [failed, setFailed] = useState('');
  useEffect(() => {
    if (direct) return;
    let isGone = false;
    let url = '';
    const show = (/** @type {Blob} */ bytes) => {
      if (isGone) return;
      url = URL.createObjectURL(bytes);
      setFetched({ id, url });
    };
    readBlob(id).then(show, () => isGone || setFailed(id));
    return () => {
      isGone = true;
      if (url) URL.revokeObjectURL(url);
    };
  }, [id, direct]);
  const source = direct || (fetched.id === id ? fetched.url : '');
  if (failed === id) return html`<span class="blob-missing muted ${name}" role="img" aria-label=${alt}>This browser cannot show the picture</span>`;
  if (!source) return null;
  return html`<img class=${name} style=${style} src=${source} alt=${alt} loading="lazy" decoding="async" draggable=${false} onError=${() => setFailed(id)} />`;
}

/** Link that downloads a file or output. @param {{id: string, name: string, class?: string, children?: any}} props */
export function BlobLink({ id, name, class: look = '', children }) {
  const download = async (/** @type {Event} */ event) => {
    if (!controlToken()) return;
    event.preventDefault();
    const anchor = document.createElement('a');
    anchor.href = URL.createObjectURL(await readBlob(id));
    anchor.download = name;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 10000);
  };
  return html`<a class=${look} href=${`blobs/${id}`} download=${name} onClick=${download}>${children ?? name}</a>`;
}

/**
 * Moves the selection by `j` and `k`. `index` is the place of the selected entry, -1 without one.
 * @template T @param {T[]} entries @param {number} index @param {(entry: T) => void} open
 */
export function useMoves(entries, index, open) {
  const move = useRef(/** @type {(step: number) => void} */ (() => {}));
  move.current = (step) => {
    const next = entries[index < 0 && step < 0 ? entries.length - 1 : index < 0 ? 0 : index + step];
    if (next !== undefined) open(next);
  };
  useEffect(() => {
    const onMove = (/** @type {any} */ event) => move.current(event.detail);
    addEventListener('dashboard-move', onMove);
    return () => removeEventListener('dashboard-move', onMove);
  }, []);
}

/**
 * List on the left, and the detail of the selected entry on the right.
 * @param {{page: string, title: string, one: string, id?: string, text?: string, list: any, detail: any}} props
 */
export const Split = ({ page, title, one, id, text, list, detail }) => html`<div class="split ${id ? 'has-detail' : ''}">
  <section class="list" aria-label=${title}>${list}</section>
  ${id && html`<section class="detail" aria-label=${one} key=${id}><a class="back" href=${link([page], { q: text })}><${Icon} name="back" />${title}</a>
    ${detail}</section>`}</div>`;

/**
 * Table of entries. A column has a title, a cell and a class; false stands for a column that is left out. Narrow pages
 * show each row as a paragraph.
 * @param {{columns: (false | [string, (entry: any) => any, string?])[], rows: any[], keyOf: (entry: any) => any, open?: (entry: any) => void,
 *   isSelected?: (entry: any) => boolean, classOf?: (entry: any) => string}} props
 */
export function Table({ columns, rows, keyOf, open, isSelected, classOf }) {
  const shown = columns.filter((column) => column !== false);
  return html`<table class="stack"><thead><tr>${shown.map(([title, , look]) => html`<th key=${title} class=${look}>${title}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${keyOf(row)} class="${open ? 'link' : ''} ${classOf?.(row)}" aria-selected=${isSelected?.(row) ? 'true' : null}
      onClick=${open && (() => open(row))}>${shown.map(([title, cell, look]) => html`<td key=${title} class=${look}>${cell(row)}</td>`)}</tr>`)}</tbody></table>`;
}

/**
 * Control with its label. `set` gets a number, a text or `true`; `undefined` stands for an empty control. `options` make it
 * a choice, `hints` are proposals. Other attributes are those of the control.
 * @param {{label: string, value: any, set: (value: any) => void, note?: any, type?: string, options?: Record<string, string>,
 *   hints?: string[], [attribute: string]: any}} props
 */
export function Field({ label, value, set, note, type = 'text', options, hints, ...attributes }) {
  const id = label.replaceAll(' ', '-');
  const change = (/** @type {any} */ { target }) => {
    if (type === 'checkbox') set(target.checked || undefined);
    else set(target.value === '' ? undefined : type === 'number' ? Number(target.value) : target.value);
  };
  if (type === 'checkbox') return html`<label class="check"><input type=${type} checked=${value} ...${attributes} onChange=${change} />${label}</label>`;
  const all = { value: value ?? '', ...attributes, onInput: change };
  return html`<label class="field"><span>${label}</span>${options ? html`<select ...${all}>${Object.entries(options).map(([key, name]) => html`<option
      key=${key} value=${key}>${name}</option>`)}</select>`
    : type === 'textarea' ? html`<textarea class="code" spellcheck=${false} ...${all}></textarea>`
    : html`<input type=${type} min="0" spellcheck=${false} autocomplete="off" list=${hints && id} ...${all} />`}
    ${hints && html`<datalist id=${id}>${hints.map((hint) => html`<option key=${hint} value=${hint} />`)}</datalist>`}
    ${note && html`<span class="muted">${note}</span>`}</label>`;
}

/**
 * Button of an action that asks first, in a dialog that names what goes.
 * @param {{label: string, title: string, verb?: string, act: () => Promise<any>, class?: string, children?: any}} props
 */
export function Ask({ label, title, verb = label, act, class: name = 'danger', children }) {
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  return html`<button type="button" class="button ${name}" onClick=${() => setOpen(true)}>${label}</button>
    ${isOpen && html`<${Dialog} title=${title} onClose=${close}>${children}<div class="row">
      <${Action} class="danger" label=${verb} act=${() => act().then(close)} />
      <button type="button" class="button" onClick=${close}>Cancel</button></div><//>`}`;
}

/** Part of a page with a title. @param {{title: string, note?: any, children?: any}} props */
export const Card = ({ title, note, children }) => html`<section class="card"><header><h2>${title}</h2><span class="muted">${note}</span></header>
  ${children}</section>`;
