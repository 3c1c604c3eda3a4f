// Timeline of an order: its requests, states, jobs and deliveries, and ahead of 'now' what is due.

import { JOB_NAMES } from './clock.js';
import { relative } from './format.js';
import { STATE_NAMES } from './outcomes.js';
import { useTick } from './parts.js';
import { link } from './router.js';
import { hashOf } from './store.js';
import { gapLabels, makeAxis, textWidth, ticks } from './time-axis.js';
import { html, useEffect, useRef, useState } from './vendor/preact.js';

/**
 * @typedef {{at: number, until?: number, look: string, text: string, title: string, href?: string, isDue?: boolean, count?: number}} Mark
 * @typedef {{at: number, kind: string, name: string}} Due
 */

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
export function dueOf(order) {
  /** @type {Due[]} */
  const due = [];
  const add = (/** @type {string} */ at, /** @type {string} */ kind, /** @type {string} */ name) => {
    if (!due.some((other) => other.kind === kind && other.at === Date.parse(at))) due.push({ at: Date.parse(at), kind, name });
  };
  for (const attempt of lastAttempts(order.deliveries)) {
    if (attempt.nextAt) add(attempt.nextAt, 'webhook.deliver', `webhook, attempt ${attempt.attempt + 1}`);
  }
  if (order.next) add(order.next.at, order.next.kind, JOB_NAMES[order.next.kind] ?? order.next.kind);
  if (order.status !== 'expired') add(order.expiresAt, 'order.expire', JOB_NAMES['order.expire']);
  return due.sort((a, b) => a.at - b.at);
}

/** Returns the last attempt of each delivery. @param {any[]} deliveries @returns {any[]} */
const lastAttempts = (deliveries) => [...new Map(deliveries.map((attempt) => [attempt.id, attempt])).values()];

/** @param {import('./store.js').RequestRow} row */
const lookOf = ({ status, fault }) => (fault ? 'server' : status === null ? 'plain' : status < 400 ? 'ok' : status < 500 ? 'client' : 'server');

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
    const look = lookOf(row);
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

/**
 * Returns the jobs that ran, and those that are due, as marks.
 * @param {any} order @param {Due[]} due @param {number} now @param {(subject: any) => number} instant @returns {Mark[]}
 */
function jobMarks(order, due, now, instant) {
  const ran = order.history.filter((/** @type {any} */ { by }) => JOB_NAMES[by]).map((/** @type {any} */ change) => {
    const { at, by, to } = change;
    return { at: instant(change), look: 'job', text: JOB_NAMES[by], title: `${by} made the order ${STATE_NAMES[to] ?? to}\n${at}` };
  });
  const ahead = due.filter(({ kind }) => kind !== 'webhook.deliver').map(({ at, kind, name }) => dueMark(at, kind, name, now));
  return [...ran, ...ahead];
}

/** @param {number} at @param {string} kind @param {string} name @param {number} now @returns {Mark} */
function dueMark(at, kind, name, now) {
  return { at, look: 'job', isDue: true, text: name, title: `${kind} is due ${relative(at, now)}\n${new Date(at).toISOString()}` };
}

/** @param {any} order @param {Due[]} due @param {number} now @param {(subject: any) => number} instant @returns {Mark[]} */
function deliveryMarks(order, due, now, instant) {
  const made = order.deliveries.map((/** @type {any} */ attempt) => {
    const isOk = attempt.status >= 200 && attempt.status < 300;
    const title = `${attempt.eventType}, attempt ${attempt.attempt}: ${attempt.status ?? attempt.error}\n${attempt.url}\n${attempt.at}`;
    const text = `${attempt.attempt}: ${attempt.status ?? 'no response'}`;
    return { at: instant(attempt), look: isOk ? 'ok' : 'server', text, title, href: link(['webhooks', String(attempt.id)]) };
  });
  return [...made, ...due.filter(({ kind }) => kind === 'webhook.deliver').map(({ at, kind, name }) => dueMark(at, kind, name, now))];
}

/** Merges marks that would cover each other. @param {Mark[]} marks @param {(at: number) => number} x */
function clustered(marks, x) {
  /** @type {(Mark & {left: number, right: number})[]} */
  const clusters = [];
  for (const mark of [...marks].sort((a, b) => a.at - b.at)) {
    const left = x(mark.at);
    const right = Math.max(x(mark.until ?? mark.at), left);
    const last = clusters[clusters.length - 1];
    if (last && left - last.right < TARGET_PX && Boolean(last.isDue) === Boolean(mark.isDue)) {
      const rank = ['ok', 'job', 'plain', 'client', 'server'];
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
    const props = { class: `mark ${mark.look} ${mark.isDue ? 'due' : ''}`, title: mark.title, style };
    return html`${mark.href ? html`<a key=${`${mark.at}`} ...${props} href=${mark.href} aria-label=${mark.title}>
      </a>` : html`<span key=${`${mark.at}`} ...${props} role="img" aria-label=${mark.title}></span>`}${label}`;
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
    const name = STATE_NAMES[to] ?? to;
    return html`<span key=${index} class="bar state-${to}" role="img" aria-label=${`${name} from ${at}, by ${by}`} title=${`${name} from ${at}\nby ${by}`}
      style=${{ left: `${left}px`, width: `${Math.max(2, right - left - 1)}px` }}>${right - left > textWidth(name) + 8 ? name : ''}</span>
      ${ahead > right && html`<span class="bar ahead state-${to}" aria-hidden="true"
        style=${{ left: `${right}px`, width: `${ahead - right}px` }}>${right - left <= textWidth(name) + 8 && ahead - right > textWidth(name) + 8 ? name : ''}
          </span>`}`;
  });
}

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
  const jobs = jobMarks(order, due, now, instant);
  const deliveries = deliveryMarks(order, due, now, instant);
  const others = [...order.history.map(instant), ...jobs.map(({ at }) => at), ...deliveries.map(({ at }) => at)];
  const requests = requestMarks(rows, others, instant);
  const axis = makeAxis([...others, ...requests.flatMap(({ at, until }) => [at, until ?? at])], now, width);
  const lane = (/** @type {string} */ name, /** @type {any} */ content) => html`<div class="lane" role="group" aria-label=${name}>
    <span class="lane-name">${name}</span><div class="track">${content}</div></div>`;
  return html`<div class="timeline" role="group" aria-label="Timeline">
    <div class="ahead-area"><span class="lane-name"></span><div class="track">${width > 0 && html`<i class="ahead" style=${{ left: `${axis.x(now)}px` }}></i>
      <i class="now" style=${{ left: `${axis.x(now)}px` }}></i>`}</div></div>
    ${lane('requests', html`<${Marks} marks=${requests} x=${axis.x} width=${width} now=${now} />`)}
    ${lane('states', html`<${StateBars} order=${order} due=${due} now=${now} x=${axis.x} instant=${instant} />`)}
    ${lane('jobs', html`<${Marks} marks=${jobs} x=${axis.x} width=${width} now=${now} />`)}
    ${lane('deliveries', html`<${Marks} marks=${deliveries} x=${axis.x} width=${width} now=${now} />`)}
    <div class="lane axis" aria-hidden="true"><span class="lane-name"></span><div class="track" ref=${track}>
      ${width > 0 && gapLabels(axis).map(({ x, text }) => html`<span class="gap" style=${{ left: `${x}px` }}>${text}</span>`)}
      ${width > 0 && ticks(axis, width, now).map(({ left, right, at, text }) => html`<i class="tick" style=${{ left: `${axis.x(at)}px` }}></i>
        <span class="tick-label ${at === now ? 'now' : ''}" style=${{ left: `${(left + right) / 2}px` }}>${text}</span>`)}
    </div></div>
  </div>`;
}
