// Axis of a timeline on which 300 ms and 7 days are both readable: the width of a gap grows with the logarithm of its length.

import { duration } from './format.js';

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
export function makeAxis(instants, now, width) {
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
export const textWidth = (text) => text.length * CHAR_PX;

/** Returns the lengths of the gaps that have room for a text. @param {Axis} axis @returns {{x: number, text: string}[]} */
export function gapLabels({ x, anchors }) {
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
export function ticks({ x, anchors }, width, now) {
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
