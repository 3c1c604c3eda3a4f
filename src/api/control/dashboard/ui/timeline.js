// Timeline of an order: its requests, states, jobs and deliveries, and ahead of 'now' what is due. On its axis 300 ms and 7 days are
// both readable: the width of a gap grows with the logarithm of its length.

import { call } from './api.js';
import { JOB_NAMES } from './clock.js';
import { duration, relative, statusClass } from './format.js';
import { STATE_NAMES } from './order-actions.js';
import { Action, Countdown, useTick } from './parts.js';
import { link } from './router.js';
import { hashOf } from './store.js';
import { html, useEffect, useRef, useState } from './vendor/preact.js';

/**
 * @typedef {{at: number, until?: number, look: string, text: string, title: string, href?: string, isDue?: boolean, count?: number}} Mark
 * @typedef {{at: number, kind: string, name: string}} Due
 */

/** Space at both ends, for marks that stand there. */
const MARGIN_PX = 12;
/** Weight of the smallest gap, in decades. */
const WEIGHT_MIN = 0.5;
/** Least share of the width for what is ahead of now, and for what is behind. */
const AHEAD_SHARE = 0.28;
/** Widths of texts, roughly. */
const CHAR_PX = 6.3;
const DAY_MS = 86400000;

/** @typedef {{x: (at: number) => number, anchors: number[]}} Axis */

/**
 * Returns the axis over instants, in `width` pixels. What is ahead of `now` has at least its share.
 * @param {number[]} instants @param {number} now @param {number} width @returns {Axis}
 */
function makeAxis(instants, now, width) {
  const anchors = [...new Set([...instants, now])].sort((a, b) => a - b);
  const weights = anchors.slice(1).map((at, index) => Math.max(WEIGHT_MIN, Math.log10(1 + at - anchors[index])));
  const isAhead = (/** @type {number} */ index) => anchors[index] >= now;
  const sum = (/** @type {number[]} */ all) => all.reduce((total, weight) => total + weight, 0);
  const [ahead, past] = [sum(weights.filter((_, index) => isAhead(index))), sum(weights.filter((_, index) => !isAhead(index)))];
  const room = Math.max(0, width - 2 * MARGIN_PX);
  const share = past === 0 ? 1 : ahead === 0 ? 0 : Math.min(1 - AHEAD_SHARE, Math.max(AHEAD_SHARE, ahead / (ahead + past)));
  const places = [MARGIN_PX];
  for (const [index, weight] of weights.entries()) {
    const px = isAhead(index) ? (room * share * weight) / ahead : (room * (1 - share) * weight) / past;
    places.push(places[places.length - 1] + px);
  }
  const x = (/** @type {number} */ at) => {
    const next = anchors.findIndex((anchor) => anchor >= at);
    if (next < 0) return places[places.length - 1];
    if (next === 0 || anchors[next] === at) return places[next];
    const share = (at - anchors[next - 1]) / (anchors[next] - anchors[next - 1]);
    return places[next - 1] + share * (places[next] - places[next - 1]);
  };
  return { x, anchors };
}

/** Width of a text in pixels, roughly. @param {string} text */
const textWidth = (text) => text.length * CHAR_PX;

/** Returns the lengths of the gaps that have room for a text. @param {Axis} axis @returns {{x: number, text: string}[]} */
function gapLabels({ x, anchors }) {
  return anchors.slice(1).flatMap((at, index) => {
    const [from, to] = [x(anchors[index]), x(at)];
    const text = duration(at - anchors[index]);
    return at - anchors[index] >= 1 && to - from >= textWidth(text) + 10 ? [{ x: (from + to) / 2, text }] : [];
  });
}

/** Text of an instant: the time, or on another day than the first instant the date too. @param {number} at @param {number} first */
function tickText(at, first) {
  const text = new Date(at).toISOString();
  if (Math.floor(at / DAY_MS) !== Math.floor(first / DAY_MS)) return text.slice(5, 16).replace('T', ' ');
  return text.slice(11, 23);
}

/** Returns the instants that have room for a text, the ends and `now` first. @param {Axis} axis @param {number} width @param {number} now */
function ticks({ x, anchors }, width, now) {
  /** @type {{left: number, right: number, at: number, text: string}[]} */
  const placed = [];
  const whole = anchors.filter(Number.isInteger);
  for (const at of [now, anchors[0], anchors[anchors.length - 1], ...whole]) {
    const text = at === now ? 'now' : tickText(at, anchors[0]);
    const half = textWidth(text) / 2;
    const middle = Math.min(Math.max(x(at), half), width - half);
    const [left, right] = [middle - half, middle + half];
    if (placed.every((other) => right + 8 <= other.left || left >= other.right + 8)) placed.push({ left, right, at, text });
  }
  return placed;
}

/** Width of the target of a mark (WCAG 2.5.8). Marks nearer to each other than this become one. */
const TARGET_PX = 24;
/** Half of the visible width of a mark. */
const HALF_PX = 5;
const LABEL_MIN_PX = 40;

/** Distance on the axis of what happened in the same millisecond, as on a frozen clock. */
const STEP_MS = 0.01;

/**
 * Returns the instants of the requests, states and deliveries. Those of the same millisecond are put one after the other: a
 * state after the request that caused it, or after the state before, and the deliveries after the last state.
 * @param {any} order @param {import('./store.js').RequestRow[]} rows
 */
function instantsOf(order, rows) {
  /** @type {{subject: any, operation?: string, at: number, place: number}[]} */
  const all = rows.map((row, place) => ({ subject: row, operation: row.operation, at: Date.parse(row.at), place }));
  let place = -1;
  for (const change of order.history) {
    const at = Date.parse(change.at);
    const cause = all.findLast((other) => other.operation === change.by && other.at === at);
    place = cause ? cause.place + 0.1 : place + 0.001;
    all.push({ subject: change, at, place });
  }
  for (const attempt of order.deliveries) all.push({ subject: attempt, at: Date.parse(attempt.at), place: place + 0.01 });
  all.sort((a, b) => a.at - b.at || a.place - b.place);
  const instants = new Map();
  let [last, reached] = [all[0], 0];
  for (const one of all) {
    const { attempt } = one.subject;
    const isSame = attempt ? attempt === last.subject.attempt : one.operation ? one.operation === last.operation : Boolean(last.operation);
    const isLater = Math.floor(reached) < one.at;
    if (isLater) reached = one.at;
    else if (!isSame) reached = Math.min(reached + STEP_MS, one.at + 1 - STEP_MS);
    instants.set(one.subject, reached);
    last = one;
  }
  return { at: (/** @type {any} */ subject) => /** @type {number} */ (instants.get(subject)), reached };
}

/** Returns what is due for an order, earliest first. @param {any} order @returns {Due[]} */
function dueOf({ deliveries, next, status, expiresAt }) {
  const attempts = [...new Map(deliveries.map((/** @type {any} */ attempt) => [attempt.id, attempt])).values()].filter(({ nextAt }) => nextAt);
  const all = [
    ...attempts.map(({ nextAt, attempt }) => ({ at: nextAt, kind: 'webhook.deliver', name: `webhook, attempt ${attempt + 1}` })),
    ...(next ? [next] : []),
    ...(status === 'expired' ? [] : [{ at: expiresAt, kind: 'order.expire' }]),
  ].map(({ at, kind, name }) => ({ at: Date.parse(at), kind, name: name ?? JOB_NAMES[kind] ?? kind })).sort((a, b) => a.at - b.at);
  return all.filter(({ at, kind }, index) => all.findIndex((other) => other.kind === kind && other.at === at) === index);
}

/**
 * Returns the requests as marks. A run of the same requests, with nothing else in between, is one mark.
 * @param {import('./store.js').RequestRow[]} rows @param {number[]} others
 * @param {(subject: any) => number} instant
 */
function requestMarks(rows, others, instant) {
  /** @type {(Mark & {operation: string, look: string})[]} */
  const marks = [];
  for (const row of rows) {
    const at = instant(row);
    const last = marks[marks.length - 1];
    const look = row.fault ? 'server' : statusClass(row.status);
    const isRun = last && last.operation === row.operation && last.look === look && !others.some((other) => other > (last.until ?? last.at) && other <= at);
    if (isRun) {
      Object.assign(last, { until: at, count: (last.count ?? 1) + 1 });
      last.title = `${row.operation}, ${last.count} times, the last ${row.at}`;
    } else {
      const text = row.operation.split('.').pop() ?? row.operation;
      const answer = `${row.status ?? 'in flight'}${row.fault ? `, fault ${row.fault}` : ''}`;
      const title = `${row.method} ${row.path}\n${row.operation}: ${answer}\n${row.at}`;
      marks.push({ at, look, text, operation: row.operation, title, href: link(['traffic', hashOf(row.account), String(row.seq)]) });
    }
  }
  return marks;
}

/** Returns what is due as marks. @param {Due[]} due @param {number} now @param {boolean} isWebhook @returns {Mark[]} */
const dueMarks = (due, now, isWebhook) => due.filter(({ kind }) => (kind === 'webhook.deliver') === isWebhook).map(({ at, kind, name }) => (
  { at, look: 'job', isDue: true, text: name, title: `${kind} is due ${relative(at, now)}\n${new Date(at).toISOString()}` }));

/** Returns the jobs that ran as marks. @param {any} order @param {(subject: any) => number} instant @returns {Mark[]} */
const jobMarks = (order, instant) => order.history.filter((/** @type {any} */ { by }) => JOB_NAMES[by]).map((/** @type {any} */ change) => (
  { at: instant(change), look: 'job', text: JOB_NAMES[change.by], title: `${change.by} made the order ${STATE_NAMES[change.to]}\n${change.at}` }));

/** Returns the attempts of webhooks as marks. @param {any} order @param {(subject: any) => number} instant @returns {Mark[]} */
const deliveryMarks = (order, instant) => order.deliveries.map((/** @type {any} */ attempt) => ({
  at: instant(attempt),
  look: statusClass(attempt.status) === 'ok' ? 'ok' : 'server',
  text: `${attempt.attempt}: ${attempt.status ?? 'no response'}`,
  title: `${attempt.eventType}, attempt ${attempt.attempt}: ${attempt.status ?? attempt.error}\n${attempt.url}\n${attempt.at}`,
  href: link(['webhooks', String(attempt.id)]),
}));

/** Merges marks that would cover each other. @param {Mark[]} marks @param {(at: number) => number} x */
function clustered(marks, x) {
  /** @type {(Mark & {left: number, right: number})[]} */
  const clusters = [];
  for (const mark of [...marks].sort((a, b) => a.at - b.at)) {
    const left = x(mark.at);
    const right = Math.max(x(mark.until ?? mark.at), left);
    const last = clusters[clusters.length - 1];
    if (last && left - last.right < TARGET_PX && Boolean(last.isDue) === Boolean(mark.isDue)) {
      const rank = ['ok', 'redirect', 'job', 'pending', 'client', 'server'];
      const look = rank.indexOf(mark.look) > rank.indexOf(last.look) ? mark.look : last.look;
      const text = last.text === mark.text ? last.text : `${last.text}, ${mark.text}`;
      Object.assign(last, { right, look, text, count: (last.count ?? 1) + (mark.count ?? 1), title: `${last.title}\n\n${mark.title}` });
    } else {
      clusters.push({ ...mark, left, right });
    }
  }
  return clusters;
}

/**
 * Marks of one lane, with labels where there is room. No label crosses now.
 * @param {{marks: Mark[], x: (at: number) => number, width: number, now: number}} props
 */
function Marks({ marks, x, width, now }) {
  const line = x(now);
  const clusters = clustered(marks, x);
  let taken = 0;
  return clusters.map((mark, index) => {
    const end = mark.right + HALF_PX + 2;
    const isBehind = mark.left <= line && !mark.isDue;
    const next = Math.min(clusters[index + 1] ? clusters[index + 1].left - HALF_PX - 4 : width, isBehind ? line - 3 : width);
    taken = Math.max(taken, isBehind ? 0 : line + 3);
    const text = mark.count && mark.count > 1 ? `${mark.text} ×${mark.count}` : mark.text;
    const wanted = textWidth(text) + 4;
    const before = mark.left - HALF_PX - 4 - taken;
    const isLeft = next - end < Math.min(wanted, LABEL_MIN_PX * 2) && before >= wanted;
    const room = isLeft ? before : next - end;
    const shown = Math.min(wanted, room);
    const label = room >= Math.min(wanted, LABEL_MIN_PX) && html`<span class="mark-label" aria-hidden="true"
      style=${{ left: `${isLeft ? mark.left - HALF_PX - 4 - shown : end}px`, width: `${shown}px` }}>${text}</span>`;
    taken = Math.max(taken, label && !isLeft ? end + shown : end);
    const style = { left: `${mark.left - TARGET_PX / 2}px`, width: `${mark.right - mark.left + TARGET_PX}px` };
    const props = { key: mark.at, class: `mark ${mark.look} ${mark.isDue ? 'due' : ''}`, title: mark.title, 'aria-label': mark.title, style };
    return html`${mark.href ? html`<a ...${props} href=${mark.href}></a>` : html`<span ...${props} role="img"></span>`}${label}`;
  });
}

/**
 * Bars of the states, with what is left of the current one ahead of now.
 * @param {{order: any, due: Due[], now: number, x: (at: number) => number, instant: (subject: any) => number}} props
 */
function StateBars({ order, due, now, x, instant }) {
  const end = due.find(({ kind }) => kind.startsWith('order.') && kind !== 'order.report')?.at ?? now;
  return order.history.map((/** @type {any} */ change, /** @type {number} */ index) => {
    const { at, to, by } = change;
    const left = x(instant(change));
    const next = order.history[index + 1];
    const right = x(next ? instant(next) : now);
    const ahead = next || to === 'expired' ? right : Math.max(right, x(end));
    const name = STATE_NAMES[to];
    const title = `${name} from ${at}, by ${by}`;
    const room = textWidth(name) + 8;
    const px = (/** @type {number} */ from, /** @type {number} */ wide) => ({ left: `${from}px`, width: `${Math.max(2, wide)}px` });
    return html`<span key=${index} class="bar state-${to}" role="img" aria-label=${title} title=${title} style=${px(left, right - left - 1)}>
        ${right - left > room && name}</span>
      ${ahead > right && html`<span class="bar ahead state-${to}" aria-hidden="true" style=${px(right, ahead - right)}>
        ${right - left <= room && ahead - right > room && name}</span>`}`;
  });
}

/** Due work, with countdowns. @param {{account: string, due: Due[], now: () => number}} props */
const DueList = ({ account, due, now }) => html`<ul class="due-list" aria-label="Due">${due.map(({ at, kind, name }, index) => {
  const to = new Date(at).toISOString();
  return html`<li key=${`${kind}${at}`}><span>${name} <b><${Countdown} at=${to} now=${now} /></b></span>
    ${at > now() && html`<${Action} class="small quiet" label="advance to it" act=${() => call('POST', 'clock/advance', { account, to })}
      title=${`Advances the account's clock to ${to} and runs ${index ? 'all work that is due until then' : kind}`} />`}</li>`;
})}</ul>`;

/** @param {{order: any, rows: import('./store.js').RequestRow[], now: () => number, isFrozen: boolean}} props */
export function Timeline({ order, rows, now: readNow, isFrozen }) {
  const track = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(0);
  useTick(isFrozen ? 5000 : 500);
  useEffect(() => {
    const observer = new ResizeObserver(() => setWidth(track.current?.clientWidth ?? 0));
    if (track.current) observer.observe(track.current);
    return () => observer.disconnect();
  }, []);
  const { at: instant, reached } = instantsOf(order, rows);
  const now = Math.max(readNow(), reached + STEP_MS);
  const due = dueOf(order);
  const jobs = [...jobMarks(order, instant), ...dueMarks(due, now, false)];
  const deliveries = [...deliveryMarks(order, instant), ...dueMarks(due, now, true)];
  const others = [...order.history.map(instant), ...jobs.map(({ at }) => at), ...deliveries.map(({ at }) => at)];
  const requests = requestMarks(rows, others, instant);
  const axis = makeAxis([...others, ...requests.flatMap(({ at, until }) => [at, until ?? at])], now, width);
  const lane = (/** @type {string} */ name, /** @type {any} */ content) => html`<div class="lane" role="group" aria-label=${name}>
    <span class="lane-name">${name}</span><div class="track">${content}</div></div>`;
  const marks = (/** @type {string} */ name, /** @type {Mark[]} */ all) => lane(name, html`<${Marks} marks=${all} x=${axis.x} width=${width} now=${now} />`);
  const at = (/** @type {number} */ left) => ({ left: `${left}px` });
  return html`<div class="timeline" role="group" aria-label="Timeline">
    <div class="ahead-area"><span></span><div class="track"><i class="ahead" style=${at(axis.x(now))}></i><i class="now" style=${at(axis.x(now))}></i></div></div>
    ${marks('requests', requests)}
    ${lane('states', html`<${StateBars} order=${order} due=${due} now=${now} x=${axis.x} instant=${instant} />`)}
    ${marks('jobs', jobs)}${marks('deliveries', deliveries)}
    <div class="lane axis" aria-hidden="true"><span></span><div class="track" ref=${track}>
      ${gapLabels(axis).map(({ x, text }) => html`<span class="gap" style=${at(x)}>${text}</span>`)}
      ${ticks(axis, width, now).map((tick) => html`<i class="tick" style=${at(axis.x(tick.at))}></i>
        <span class="tick-label ${tick.at === now ? 'now' : ''}" style=${at((tick.left + tick.right) / 2)}>${tick.text}</span>`)}
    </div></div>
  </div><${DueList} account=${order.account} due=${due} now=${readNow} />`;
}
