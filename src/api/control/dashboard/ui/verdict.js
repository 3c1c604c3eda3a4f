// Outcome of an order or of one picture: the verdict, and what settled it.

import { link } from './router.js';
import { html } from './vendor/preact.js';

/** Words of the vendors for a label. @type {Record<string, Record<string, string>>} */
const LABELS = {
  undetectable: { ai: 'AI Generated', human: 'Real', edited: 'Digitally Edited', aiEdited: 'AI Edited' },
};

/** BIZ MORI's `statusCode` of a probability. @param {number} probability */
function statusCode(probability) {
  if (probability >= 0.5) return probability >= 0.75 ? 'likely_ai' : 'uncertain_ai';
  return probability >= 0.25 ? 'uncertain_real' : 'likely_real';
}

/** Word of the vendor for a detection. @param {any} outcome @param {string} vendor */
function labelOf({ label, generator, probability }, vendor) {
  if (label === 'watermarked') return generator;
  return LABELS[vendor]?.[label] ?? statusCode(probability);
}

/** Probability in percent. @param {number} probability */
const percent = (probability) => `${Number((probability * 100).toFixed(2))} %`;

/** Source of an outcome; a rule is a link. @param {{by: string | null}} props */
export function Source({ by }) {
  if (!by) return null;
  const parts = by.split(/\b(rule \d+)\b/);
  return html`<span>${parts.map((part, index) => (index % 2 ? html`<a key=${index} href=${link(['rules', part.slice(5)])}>${part}</a>` : part))}</span>`;
}

/** Scale from real to AI. @param {{probability: number}} props */
const Scale = ({ probability }) => html`<div class="scale" role="img" aria-label=${`Probability of AI ${percent(probability)}`}>
  <i style=${{ left: `${probability * 100}%` }}></i>
  <span>real</span><span>0.25</span><span>0.5</span><span>0.75</span><span>AI</span></div>`;

/** Texts of a watermark. @param {{texts: string[]}} props */
export const WatermarkTexts = ({ texts }) => (texts.length ? html`<ul class="watermark-texts">${texts.map((text, index) => html`<li key=${index}><q>${text}
  </q></li>`)}</ul>` : null);

/** @param {{outcome: any, vendor: string, isSmall?: boolean}} props */
export function Outcome({ outcome, vendor, isSmall = false }) {
  const { kind } = outcome;
  if (kind === 'detection') {
    const look = outcome.label === 'human' ? 'ok' : outcome.label === 'edited' ? 'plain' : 'client';
    const label = html`<b class="chip ${look}">${labelOf(outcome, vendor)}</b> <span class="number">${percent(outcome.probability)} AI</span>`;
    if (isSmall) return html`<span title=${`by ${outcome.by}`}>${label}</span>`;
    return html`<div class="verdict">
      <p class="row wrap">${label}${outcome.generator && outcome.label !== 'watermarked' && html`<span>made with ${outcome.generator}</span>`}</p>
      <${Scale} probability=${outcome.probability} /><p class="muted">Settled by <${Source} by=${outcome.by} /></p></div>`;
  }
  if (kind === 'extraction') {
    const look = outcome.status === 'detected' ? 'ok' : outcome.status === 'undetected' ? 'plain' : 'client';
    return html`<div class="verdict"><p class="row wrap"><b class="chip ${look}">${outcome.status}
      </b>${outcome.texts.length === 0 && html`<span class="muted">no watermark text</span>`}</p>
      <${WatermarkTexts} texts=${outcome.texts} />
      <p class="muted">Settled by <${Source} by=${outcome.by} /></p></div>`;
  }
  if (kind === 'failure') {
    if (isSmall) return html`<span><b class="chip server">failed</b> ${outcome.errorMessage}</span>`;
    return html`<div class="verdict"><p>${outcome.errorCode && html`<b class="chip server">${outcome.errorCode}</b> `}${outcome.errorMessage}</p>
      ${outcome.by && html`<p class="muted">Settled by <${Source} by=${outcome.by} /></p>`}</div>`;
  }
  if (kind === 'skipped') return html`<span class="muted">skipped: ${outcome.reason}</span>`;
  return null;
}
