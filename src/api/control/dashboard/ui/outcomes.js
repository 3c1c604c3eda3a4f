// Outcomes that a person can choose for an order, by its type. The names are those of a rule's `outcome`.

/**
 * @typedef {{id: string, name: string, hint?: string, body: (input: {probability: string, text: string}) => Record<string, unknown>,
 *   needs?: 'probability' | 'text', isV3?: boolean}} OutcomeChoice
 */

/** @type {OutcomeChoice} */
const USUAL = { id: 'usual', name: 'As usual', hint: 'A rule, the file name or the bytes decide', body: () => ({}) };

/** @type {OutcomeChoice[]} */
const PROBABILITIES = [
  { id: 'ai', name: 'AI, 0.98', body: () => ({ probability: 0.98 }) },
  { id: 'uncertain', name: 'Uncertain, 0.5', body: () => ({ probability: 0.5 }) },
  { id: 'human', name: 'Real, 0.02', body: () => ({ probability: 0.02 }) },
  { id: 'probability', name: 'A probability…', needs: 'probability', body: ({ probability }) => ({ probability: Number(probability) }) },
];

/** @param {string} finalResult @param {string} [hint] @returns {OutcomeChoice} */
const final = (finalResult, hint) => ({ id: finalResult, name: finalResult, hint, body: () => ({ finalResult }) });

/** @type {OutcomeChoice[]} */
const FINAL_RESULTS = [
  final('AI Generated'), final('Real'), final('Digitally Edited'), final('AI Edited'),
  final('Grok', 'A generator: decided by its watermark'), final('Gemini', 'A generator: decided by its watermark'),
];

/** Outcomes of a complete order, by its type. @type {Record<string, OutcomeChoice[]>} */
const CHOICES = {
  antiAi: [USUAL],
  watermarkEmbed: [USUAL],
  aiDetection: [USUAL, ...PROBABILITIES],
  watermarkExtract: [
    USUAL,
    { id: 'text', name: 'A watermark with the text…', needs: 'text', body: ({ text }) => ({ watermarkText: text }) },
    { id: 'none', name: 'No watermark', body: () => ({ watermarkText: null }) },
    ...['inconclusive', 'unsupported', 'error'].map((id) => ({ id, name: id, isV3: true, body: () => ({ detectionStatus: id }) })),
  ],
  document: [
    USUAL, ...FINAL_RESULTS, ...PROBABILITIES.slice(-1),
    { id: 'analysis', name: 'The usual result, its analysis fails', body: () => ({ analysis: 'failed' }) },
  ],
  bulk: [USUAL, ...FINAL_RESULTS, ...PROBABILITIES.slice(-1)],
};

/**
 * Returns the outcomes of a complete order. Those of v3 are left out for an order of v2.
 * @param {string} type @param {string | null} [api] `undefined` if the version is not known.
 */
export const outcomeChoices = (type, api) => (CHOICES[type] ?? [USUAL]).filter(({ isV3 }) => !isV3 || api === undefined || api === 'v3');

const DETECTION_CODES = ['AI_DETECTION_FAILED', 'AI_DETECTION_INVALID_IMAGE', 'AI_DETECTION_SERVICE_ERROR', 'AI_DETECTION_TIMEOUT'];
const WATERMARK_CODES = [
  'WATERMARK_ENGINE_UNAVAILABLE', 'WATERMARK_FILE_CORRUPTED', 'WATERMARK_FILE_FORMAT_UNSUPPORTED', 'WATERMARK_FILE_SIZE_UNSUPPORTED',
  'WATERMARK_IMAGE_COLOR_MODE_UNSUPPORTED', 'WATERMARK_IMAGE_DIMENSIONS_UNSUPPORTED', 'WATERMARK_INPUT_UNSUPPORTED', 'WATERMARK_PDF_UNSUPPORTED',
  'WATERMARK_V2_API_SUNSET',
];
const GENERAL_CODES = ['PROCESSING_ERROR', 'ORDER_TIMEOUT', 'UPLOAD_EXPIRED'];

/** Codes with which an order can fail, by its type: its own first. Empty if its vendor has no codes. @type {Record<string, string[]>} */
const FAILURE_CODES = {
  antiAi: GENERAL_CODES,
  aiDetection: [...DETECTION_CODES, ...GENERAL_CODES],
  watermarkEmbed: [...WATERMARK_CODES, ...GENERAL_CODES],
  watermarkExtract: [...WATERMARK_CODES, ...GENERAL_CODES],
};

/** @param {string} type */
export const failureCodes = (type) => FAILURE_CODES[type] ?? [];

/** Names of order types for people. @type {Record<string, string>} */
export const TYPE_NAMES = {
  antiAi: 'Anti-AI',
  aiDetection: 'AI detection',
  watermarkEmbed: 'Watermark embed',
  watermarkExtract: 'Watermark extract',
  document: 'Document',
  bulk: 'Bulk',
};

/** States of orders, in the order of an order's life. */
export const STATES = ['pending', 'inProgress', 'complete', 'failed', 'expired'];

/** Names of states for people. @type {Record<string, string>} */
export const STATE_NAMES = { pending: 'pending', inProgress: 'in progress', complete: 'complete', failed: 'failed', expired: 'expired' };

/** State of an order for people; a held order says so. @param {{status: string, processing: any}} order */
export const stateLabel = ({ status, processing }) => (status === 'inProgress' && processing === 'hold' ? 'held' : STATE_NAMES[status] ?? status);

/** Names of vendors for people. @type {Record<string, string>} */
export const VENDOR_NAMES = { bizmori: 'BIZ MORI', undetectable: 'Undetectable AI' };
