// Switcher of the account in the top bar.

import { AccountName, Dialog, Dot, Icon } from './parts.js';
import { parseRoute } from './router.js';
import { useStore } from './store.js';
import { html, useState } from './vendor/preact.js';

/** Shows the page for another account. @param {string} hash */
export function switchAccount(hash) {
  const { page, query } = parseRoute(location.hash);
  const kept = new URLSearchParams({ ...query, account: hash });
  if (!hash) kept.delete('account');
  location.hash = `#/${page}${kept.size ? `?${kept}` : ''}`;
}

/** Button with the selected account. It opens a dialog with all accounts, the newest first. */
export function AccountSwitcher() {
  const accounts = useStore((all) => all.accounts);
  const selected = useStore((all) => all.accountHash);
  const [isOpen, setOpen] = useState(false);
  const account = accounts.find(({ hash }) => hash === selected);
  return html`<button type="button" class="button account-switch" onClick=${() => setOpen(true)} title="Switch the account">
      ${account ? html`<${AccountName} account=${account.key} hash=${account.hash} />` : html`<span>${selected ? `account ${selected}` : 'All accounts'}</span>`}
      <${Icon} name="down" />
    </button>
    ${isOpen && html`<${AccountDialog} onClose=${() => setOpen(false)} />`}`;
}

/** @param {{onClose: () => void}} props */
function AccountDialog({ onClose }) {
  const accounts = useStore((all) => all.accounts);
  const selected = useStore((all) => all.accountHash);
  const [text, setText] = useState('');
  const newest = [...accounts].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  const found = newest.filter(({ key, hash }) => key.toLowerCase().includes(text.toLowerCase()) || hash.startsWith(text));
  const choose = (/** @type {string} */ hash) => {
    switchAccount(hash);
    onClose();
  };
  return html`<${Dialog} title="Accounts" onClose=${onClose}>
    <label class="search"><${Icon} name="search" /><input type="search" autofocus placeholder="Key" aria-label="Find an account" value=${text}
      onInput=${(/** @type {any} */ event) => setText(event.target.value)}
      onKeyDown=${(/** @type {any} */ event) => event.key === 'Enter' && found[0] && choose(found[0].hash)} /></label>
    <ul class="choices">
      <li><button type="button" class=${selected === '' ? 'selected' : ''} onClick=${() => choose('')}>All accounts <span class="muted">${accounts.length}</span></button></li>
      ${found.slice(0, 200).map(({ key, hash, createdAt }) => html`<li key=${key}><button type="button" class=${selected === hash ? 'selected' : ''} onClick=${() => choose(hash)}>
        <${Dot} hash=${hash} /><span class="clip">${key}</span><span class="muted">${createdAt?.slice(0, 16).replace('T', ' ')}</span></button></li>`)}
    </ul>
    ${found.length > 200 && html`<p class="muted">${found.length - 200} more: type a part of the key.</p>`}
    ${accounts.length === 0 && html`<p class="muted">Nobody has called yet. Any word is an API key; its first use makes the account.</p>`}
  <//>`;
}
