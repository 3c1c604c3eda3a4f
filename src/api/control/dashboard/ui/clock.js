// The clock of the selected account in the top bar: shows it, and moves it.

import { call } from './api.js';
import { instant, relative } from './format.js';
import { Action, Icon, Menu, useTick } from './parts.js';
import { accountKey, clockNow, loadClock, useStore } from './store.js';
import { html, useState } from './vendor/preact.js';

const STEPS = /** @type {[string, string][]} */ ([['+1 s', 'PT1S'], ['+1 min', 'PT1M'], ['+1 h', 'PT1H'], ['+1 d', 'P1D']]);
/** Names of jobs for people. @type {Record<string, string>} */
export const JOB_NAMES = {
  'order.process': 'processing',
  'order.report': 'report',
  'order.expire': 'end of retention',
  'order.expireUploads': 'upload deadline',
  'order.sunset': 'end of v2',
  'upload.expire': 'end of an upload',
  'webhook.deliver': 'webhook',
};

/** @param {Record<string, unknown>} body */
async function advance(body) {
  await call('POST', 'clock/advance', { account: accountKey() ?? undefined, ...body });
  await loadClock();
}

/** Advances the selected account's clock to its next due job. */
export const advanceToNext = () => advance({ to: 'next' });

/** @param {string} mode @param {string} [now] */
async function setMode(mode, now) {
  await call('PUT', 'clock', { account: accountKey() ?? undefined, mode, now });
  await loadClock();
}

/** Button that advances to the next due job. */
export function NextJob() {
  const clock = useStore((all) => all.clock);
  useTick(1000);
  if (!clock?.next) return html`<span class="muted">nothing is due</span>`;
  const name = JOB_NAMES[clock.next.kind] ?? clock.next.kind;
  return html`<${Action} label=${`→ next: ${name} ${relative(Date.parse(clock.next.at), clockNow())}`} act=${advanceToNext}
    title=${`Advances the clock to ${clock.next.at} and runs ${clock.next.kind} ${clock.next.subject}`} />`;
}

/** Clock of the selected account, with a menu that moves it. */
export function ClockWidget() {
  const clock = useStore((all) => all.clock);
  const isAll = useStore((all) => all.accountHash === '');
  useTick(1000);
  const [text, setText] = useState('');
  if (!clock) return null;
  const label = html`<span class="clock"><${Icon} name="now" /><span class="clock-time">${instant(clockNow())}</span> <span class="muted">· ${clock.mode}</span></span>`;
  const isInstant = /^\d{4}-/.test(text);
  return html`<${Menu} class="clock-menu" label=${label} title=${isAll ? 'Default clock' : 'Clock of the account'}>
    <p class="muted">${isAll ? 'Default clock, for accounts without a clock of their own.' : clock.isDefault ? 'The account follows the default clock. A change here gives it a clock of its own.' : 'Clock of this account.'}</p>
    <div class="row" role="group" aria-label="Mode">
      ${['running', 'frozen', 'jump'].map((mode) => html`<${Action} key=${mode} class=${clock.mode === mode ? 'pressed' : ''} label=${{ running: 'Run', frozen: 'Freeze', jump: 'Jump' }[mode]}
        title=${{ running: 'Runs at the pace of the real time', frozen: 'Moves only when it is advanced', jump: 'Runs, and leaps to the next due job whenever nothing is in flight' }[mode]} act=${() => setMode(mode)} />`)}
    </div>
    <div class="row" role="group" aria-label="Advance">${STEPS.map(([name, by]) => html`<${Action} key=${by} label=${name} act=${() => advance({ by })} />`)}</div>
    <div class="row"><input type="text" aria-label="Duration or instant" placeholder="PT90S, 10s or 2026-03-12T10:00:00Z" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} />
      <${Action} label="Advance" isDisabled=${!text} act=${() => advance(isInstant ? { to: text } : { by: text })} />
      <${Action} label="Set" isDisabled=${!isInstant} title="Sets the clock to the instant without running what is due" act=${() => setMode(clock.mode, text)} /></div>
    <div class="row"><${NextJob} /></div>
  <//>`;
}
