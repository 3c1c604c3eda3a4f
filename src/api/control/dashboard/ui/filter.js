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

/** Returns the predicate of a filter on requests. @param {string} text @returns {(row: RequestRow) => boolean} */
export const parseFilter = (text) =>
  parseWords(text, FIELDS, (row) => [row.path, row.query, row.operation, row.reason, row.outcome, row.orderId, row.account]);

/**
 * Returns the predicate of a filter. Words without a field are found anywhere in a row's `texts`.
 * @template Row @param {string} text @param {Record<string, (row: Row, value: string) => boolean>} fields
 * @param {(row: Row) => (string | null | undefined)[]} texts @returns {(row: Row) => boolean}
 */
export function parseWords(text, fields, texts) {
  const tests = text.trim().split(/\s+/).filter(Boolean).map((word) => {
    const isNegated = word.length > 1 && word.startsWith('-');
    const [, field, value] = /^([a-z]+):(.*)$/i.exec(isNegated ? word.slice(1) : word) ?? [];
    const test = field && fields[field.toLowerCase()];
    if (test && !value) return () => true;
    const matches = test ? (/** @type {Row} */ row) => test(row, value) : containing(isNegated ? word.slice(1) : word, texts);
    return isNegated ? (/** @type {Row} */ row) => !matches(row) : matches;
  });
  return (row) => tests.every((test) => test(row));
}

/** @template Row @param {string} word @param {(row: Row) => (string | null | undefined)[]} texts @returns {(row: Row) => boolean} */
function containing(word, texts) {
  const wanted = word.toLowerCase();
  return (row) => texts(row).some((text) => text?.toLowerCase().includes(wanted));
}
