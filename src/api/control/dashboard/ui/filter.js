// Filter of the traffic: `operation:bizmori.* status:4xx method:post path:*/orders rule:3 text`.

import { matchesGlob } from './format.js';

/** @typedef {import('./store.js').RequestRow} RequestRow */

/** Fields that a filter can name, with the test of a value. @type {Record<string, (row: RequestRow, value: string) => boolean>} */
const FIELDS = {
  operation: (row, value) => matchesGlob(value, row.operation),
  method: (row, value) => matchesGlob(value, row.method),
  path: (row, value) => matchesGlob(value, row.path),
  status: (row, value) => (value === 'pending' ? row.status === null : matchesGlob(value.replace(/x/gi, '?'), String(row.status ?? ''))),
  rule: (row, value) => (value === '*' ? row.ruleId !== null : String(row.ruleId ?? '') === value),
  fault: (row, value) => matchesGlob(value, row.fault ?? ''),
  order: (row, value) => row.orderId === value,
};

export const FIELD_NAMES = Object.keys(FIELDS);

/** Returns the predicate of a filter. Words without a field are found anywhere in a row. @param {string} text @returns {(row: RequestRow) => boolean} */
export function parseFilter(text) {
  const tests = text.trim().split(/\s+/).filter(Boolean).map((word) => {
    const isNegated = word.length > 1 && word.startsWith('-');
    const [, field, value] = /^([a-z]+):(.*)$/i.exec(isNegated ? word.slice(1) : word) ?? [];
    const test = field && FIELDS[field.toLowerCase()];
    if (test && !value) return () => true;
    const matches = test ? (/** @type {RequestRow} */ row) => test(row, value) : containing(isNegated ? word.slice(1) : word);
    return isNegated ? (/** @type {RequestRow} */ row) => !matches(row) : matches;
  });
  return (row) => tests.every((test) => test(row));
}

/** @param {string} word @returns {(row: RequestRow) => boolean} */
function containing(word) {
  const wanted = word.toLowerCase();
  return (row) => [row.path, row.query, row.operation, row.reason, row.outcome, row.orderId, row.account]
    .some((text) => text?.toLowerCase().includes(wanted));
}
