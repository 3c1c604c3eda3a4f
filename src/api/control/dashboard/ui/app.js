// Frame of the dashboard: top bar, navigation, pages, keyboard.

import { AccountSwitcher } from './accounts.js';
import { controlToken, setControlToken } from './api.js';
import { ClockWidget } from './clock.js';
import { InboxPage } from './inbox.js';
import { Orders } from './orders.js';
import { Now, Report, State } from './overview.js';
import { Dialog, Icon } from './parts.js';
import { go, link, parseRoute, useRoute } from './router.js';
import { Rules } from './rules.js';
import { load, selectAccount, setPaused, state, useStore } from './store.js';
import { Traffic } from './traffic.js';
import { html, render, useEffect, useRef, useState } from './vendor/preact.js';
import { Webhooks } from './webhooks.js';

/** Pages in the order of the navigation. `key` follows `g`. @type {{id: string, name: string, key: string, icon: any, view: any}[]} */
const PAGES = [
  { id: 'now', name: 'Now', key: 'n', icon: 'now', view: Now },
  { id: 'traffic', name: 'Traffic', key: 't', icon: 'traffic', view: Traffic },
  { id: 'orders', name: 'Orders', key: 'o', icon: 'orders', view: Orders },
  { id: 'webhooks', name: 'Webhooks', key: 'w', icon: 'webhooks', view: Webhooks },
  { id: 'inbox', name: 'Inbox', key: 'i', icon: 'inbox', view: InboxPage },
  { id: 'rules', name: 'Rules', key: 'r', icon: 'rules', view: Rules },
  { id: 'report', name: 'Report', key: 'e', icon: 'report', view: Report },
  { id: 'state', name: 'State', key: 's', icon: 'state', view: State },
];

const KEYS = [
  ['j, k', 'next, previous entry'],
  ['Enter', 'open the entry, or go to its detail'],
  ['Escape', 'close the detail'],
  ['/', 'filter'],
  ['p', 'pause and follow'],
  ...PAGES.map(({ key, name }) => [`g ${key}`, name]),
  ['?', 'this list'],
];

function App() {
  const route = useRoute();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const needsToken = useStore((all) => all.needsToken);
  const isFirst = useRef(true);
  useEffect(() => {
    if (route.page === '') go(['traffic']);
    selectAccount(route.query.account ?? (route.page === 'traffic' && route.parts[0] && route.parts[0] !== '-' ? state.accountHash : ''));
  }, [route]);
  useEffect(() => listenToKeys(() => setHelpOpen(true)), []);
  useEffect(() => {
    // The focused element went with the last page. When the page opens, Tab starts at the top.
    if (document.activeElement === document.body && !isFirst.current) document.getElementById('main')?.focus({ preventScroll: true });
    isFirst.current = route.page === '';
  }, [route]);
  const page = PAGES.find(({ id }) => id === route.page) ?? PAGES[1];
  useEffect(() => void (document.title = `${page.name} · stuntdouble`), [page]);
  return html`<div class="frame">
    <a class="skip" href="#main" onClick=${(/** @type {Event} */ event) => { event.preventDefault(); document.getElementById('main')?.focus(); }}>Skip to the content</a>
    <${TopBar} onHelp=${() => setHelpOpen(true)} />
    <nav class="side" aria-label="Pages">${PAGES.map(({ id, name, icon }) => html`<a key=${id} href=${link([id])} aria-current=${id === page.id ? 'page' : null}><${Icon} name=${icon} /><span>${name}</span></a>`)}</nav>
    <main id="main" tabindex="-1"><h1 class="sr">${page.name}</h1>${needsToken ? html`<${TokenForm} />` : page.view ? html`<${page.view} route=${route} />` : null}</main>
    ${isHelpOpen && html`<${Dialog} title="Keys" onClose=${() => setHelpOpen(false)}><dl class="keys">${KEYS.map(([key, text]) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${text}</dd></div>`)}</dl><//>`}
  </div>`;
}

/** @param {{onHelp: () => void}} props */
function TopBar({ onHelp }) {
  const version = useStore((all) => all.version);
  return html`<header class="top">
    <a class="brand" href=${link(['traffic'])}><img src="ui/icon.svg" alt="" width="22" height="22" /><b>stuntdouble</b><span class="muted">${version}</span></a>
    <${AccountSwitcher} /><${ClockWidget} />
    <span class="spacer"></span><${LiveIndicator} />
    <a class="button quiet docs" href="docs">API</a>
    <button type="button" class="button quiet help" onClick=${onHelp} aria-label="Keys" title="Keys (?)">?</button>
  </header>`;
}

/** State of the live connection. */
function LiveIndicator() {
  const live = useStore((all) => all.live);
  const isPaused = useStore((all) => all.isPaused);
  const waiting = useStore((all) => all.waiting.size);
  const error = useStore((all) => all.liveError);
  const texts = { connecting: 'connecting', live: isPaused ? `paused, ${waiting} waiting` : 'live', gone: 'server gone, retrying', hidden: 'hidden', refused: error?.message ?? 'refused' };
  return html`<span class=${`live ${live} ${isPaused ? 'paused' : ''}`} role="status" title=${error?.hint ?? ''}><i></i>${texts[live]}</span>`;
}

/** Asks for the control token. */
function TokenForm() {
  const [token, setToken] = useState('');
  const use = (/** @type {Event} */ event) => {
    event.preventDefault();
    setControlToken(token);
    load();
  };
  return html`<form class="page narrow token" onSubmit=${use}><h2>Control token</h2>
    <p>${controlToken() ? 'The server does not accept this token.' : 'This server was started with --control-token.'} The token is kept until this tab is closed.</p>
    <div class="row"><input type="password" aria-label="Control token" autocomplete="off" autofocus value=${token} onInput=${(/** @type {any} */ event) => setToken(event.target.value)} /><button class="button primary" disabled=${!token}>Use it</button></div></form>`;
}

/** Handles the keys that work on every page. Returns the end of it. @param {() => void} openHelp */
function listenToKeys(openHelp) {
  let isAfterG = false;
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    // Escape closes an open dialog or menu, and nothing else.
    if (document.querySelector('dialog[open]') || (event.key === 'Escape' && document.querySelector('.menu[open]'))) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) {
      if (event.key === 'Escape') target.blur();
      return;
    }
    const page = isAfterG && PAGES.find(({ key }) => key === event.key);
    isAfterG = event.key === 'g';
    if (page) return go([page.id]);
    const route = parseRoute(location.hash);
    /** @type {Record<string, () => void>} */
    const actions = {
      j: () => dispatchEvent(new CustomEvent('dashboard-move', { detail: 1 })),
      k: () => dispatchEvent(new CustomEvent('dashboard-move', { detail: -1 })),
      ArrowDown: () => dispatchEvent(new CustomEvent('dashboard-move', { detail: 1 })),
      ArrowUp: () => dispatchEvent(new CustomEvent('dashboard-move', { detail: -1 })),
      '/': () => /** @type {HTMLElement | null} */ (document.querySelector('main input[type=search]'))?.focus(),
      p: () => setPaused(!state.isPaused),
      '?': openHelp,
      Escape: () => route.parts.length > 0 && go([route.page], { q: route.query.q }),
      Enter: () => focusDetail(),
    };
    const isArrow = event.key.startsWith('Arrow');
    if (isArrow && !target.closest('.grid')) return;
    if (event.key === 'Enter' && target.closest('a, button, summary')) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };
  addEventListener('keydown', onKey);
  return () => removeEventListener('keydown', onKey);
}

/** Moves the focus into the detail; without a detail, opens the last entry. */
function focusDetail() {
  const detail = /** @type {HTMLElement | null} */ (document.querySelector('.detail'));
  if (!detail) return void dispatchEvent(new CustomEvent('dashboard-move', { detail: 1 }));
  detail.tabIndex = -1;
  detail.focus();
}

/** Takes the control token off the URL, so that it does not stay in the history. */
function takeToken() {
  const token = /[#&?]token=([^&]*)/.exec(location.hash);
  if (!token) return;
  setControlToken(decodeURIComponent(token[1]));
  history.replaceState(null, '', location.hash.replace(/[&?]?token=[^&]*/, '') || '#/');
}

takeToken();
const root = /** @type {HTMLElement} */ (document.getElementById('app'));
root.textContent = '';
render(html`<${App} />`, root);
load();
