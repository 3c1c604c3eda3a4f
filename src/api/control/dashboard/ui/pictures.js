// Files and outputs of an order, the pictures among them (before and after, heatmap, difference), and the verdict.

import { size } from './format.js';
import { BlobImage, BlobLink } from './parts.js';
import { link } from './router.js';
import { html, useState } from './vendor/preact.js';

/**
 * @typedef {{name: string, bytes: number | null, contentType: string | null, width: number | null, height: number | null,
 *   blob: string | null, watermarks: string[], result: any}} OrderFile
 * @typedef {{name: string, kind: string, file: number | null, bytes: number, contentType: string | null, blob: string}} OrderOutput
 */

/** Words of Undetectable AI for a label. @type {Record<string, string>} */
const LABELS = { ai: 'AI Generated', human: 'Real', edited: 'Digitally Edited', aiEdited: 'AI Edited' };

/** Word of the vendor for a detection: BIZ MORI's is a `statusCode` of the probability. @param {any} outcome @param {string} vendor */
function labelOf({ label, generator, probability }, vendor) {
  if (label === 'watermarked') return generator;
  if (vendor === 'undetectable') return LABELS[label] ?? label;
  return ['likely_real', 'uncertain_real', 'uncertain_ai', 'likely_ai'][Math.min(3, Math.floor(probability * 4))];
}

/** Source of an outcome; a rule is a link. @param {{by: string}} props */
const Source = ({ by }) => html`${by.split(/\b(rule \d+)\b/).map((part, index) => (index % 2 ? html`<a key=${index} href=${link(['rules', part.slice(5)])}>${part}</a>`
  : part))}`;

/** Texts of a watermark. @param {{texts: string[]}} props */
const Watermarks = ({ texts }) => html`<ul class="watermark-texts">${texts.map((text, index) => html`<li key=${index}><q>${text}</q></li>`)}</ul>`;

/** Outcome of an order or of one picture: the verdict, and what settled it. @param {{outcome: any, vendor: string, isSmall?: boolean}} props */
export function Outcome({ outcome, vendor, isSmall }) {
  const { kind, by, label, probability, generator, texts, status } = outcome;
  if (kind === 'skipped') return html`<span class="muted">skipped: ${outcome.reason}</span>`;
  const percent = `${Number((probability * 100).toFixed(2))} %`;
  const name = label ?? status;
  const line = kind === 'failure'
    ? html`<b class="chip server">${outcome.errorCode ?? 'failed'}</b> ${outcome.errorMessage}`
    : html`<b class="chip ${/^(human|detected)$/.test(name) ? 'ok' : /^(edited|undetected)$/.test(name) ? '' : 'client'}">
        ${kind === 'detection' ? labelOf(outcome, vendor) : status}</b> ${kind === 'detection' ? `${percent} AI` : texts.length === 0 && 'no watermark text'}
      ${!isSmall && generator && label !== 'watermarked' && ` made with ${generator}`}`;
  if (isSmall) return html`<span title=${by && `by ${by}`}>${line}</span>`;
  return html`<div class="verdict"><p>${line}</p>
    ${kind === 'detection' && html`<div class="scale" role="img" aria-label=${`Probability of AI ${percent}`}><i style=${{ left: percent.replace(' ', '') }}></i>
      <span>real</span><span>0.25</span><span>0.5</span><span>0.75</span><span>AI</span></div>`}
    ${texts && html`<${Watermarks} texts=${texts} />`}
    ${by && html`<p class="muted">Settled by <${Source} by=${by} /></p>`}</div>`;
}

const STAGE_HEIGHT_PX = 400;

/** `true` if browsers show such a picture. @param {{name: string, contentType: string | null}} file */
const isShown = ({ name, contentType }) =>
  /\.(jpe?g|jfif|png|gif|webp|bmp|avif|svg)$/i.test(name) || /^image\/(png|jpeg|gif|webp|bmp|avif)$/.test(contentType ?? '');

/** Size of the stage, so that it does not move while the picture loads. @param {OrderFile} file @returns {Record<string, string>} */
const stageStyle = ({ width, height }) => (width && height
  ? { aspectRatio: `${width} / ${height}`, width: `min(100%, ${Math.round((STAGE_HEIGHT_PX * width) / height)}px)` } : {});

/** Names of a view of two pictures, and the style of the upper one by the slider. @type {Record<string, [string, string, string, (value: number) => any]>} */
const MIXES = {
  compare: ['Edge between before and after', 'before', 'after', (value) => ({ clipPath: `inset(0 0 0 ${value}%)` })],
  heatmap: ['Opacity of the heatmap', 'picture', 'heatmap', (value) => ({ opacity: String(value / 100) })],
};

/** The file and an output, one over the other: the slider and the pointer mix them. @param {{file: OrderFile, output: OrderOutput, kind: string}} props */
function Mixed({ file, output, kind }) {
  const [value, setValue] = useState(50);
  const [label, from, to, style] = MIXES[kind];
  const follow = (/** @type {any} */ event) => {
    if (event.type === 'pointerdown') event.currentTarget.setPointerCapture(event.pointerId);
    const box = event.currentTarget.getBoundingClientRect();
    if (event.buttons) setValue(Math.round(Math.min(100, Math.max(0, ((event.clientX - box.left) / box.width) * 100))));
  };
  return html`<div class="stage drag" style=${stageStyle(file)} onPointerDown=${follow} onPointerMove=${follow}>
      ${file.blob && isShown(file) && html`<${BlobImage} id=${file.blob} alt=${`${file.name}, ${from}`} />`}
      <${BlobImage} id=${output.blob} alt=${`${file.name}, ${to}`} style=${style(value)} />
      ${kind === 'compare' && html`<i class="edge" style=${{ left: `${value}%` }}></i>`}</div>
    <label class="slider"><span>${from}</span><input type="range" min="0" max="100" value=${value} aria-label=${label} aria-valuetext=${`${value} %`}
      onInput=${(/** @type {any} */ event) => setValue(Number(event.target.value))} /><span>${to}</span></label>`;
}

/** The difference between file and output, amplified by the style sheet. @param {{file: OrderFile, output: OrderOutput}} props */
const Difference = ({ file, output }) => html`<div class="stage difference" style=${stageStyle(file)}><${BlobImage} id=${file.blob} alt="" />
  <${BlobImage} id=${output.blob} alt=${`Difference of ${file.name} before and after, times 8`} /></div>
  <p class="muted">Where the picture is black, the pixels are equal.</p>`;

/** @param {{file: OrderFile, blob: string | null, alt: string}} props */
const Plain = ({ file, blob, alt }) => html`<div class="stage" style=${stageStyle(file)}><${BlobImage} id=${blob} alt=${alt} /></div>`;

/** Ways to look at a file, the most telling first. @param {OrderFile} file @param {OrderOutput[]} outputs @returns {[name: string, view: any][]} */
function viewsOf(file, outputs) {
  const isFileShown = file.blob !== null && isShown(file);
  const plain = (/** @type {OrderOutput} */ { blob, name }) => html`<${Plain} file=${file} blob=${blob} alt=${name} />`;
  const ofKind = (/** @type {string} */ kind) => outputs.filter((output) => output.kind === kind && isShown(output));
  /** @type {[string, any][]} */
  const views = [];
  for (const [index, output] of ofKind('output').entries()) {
    const prefix = index ? `${index + 1}: ` : '';
    if (!isFileShown) views.push([`${prefix}Output`, plain(output)]);
    else {
      views.push([`${prefix}Before and after`, html`<${Mixed} key=${output.blob} file=${file} output=${output} kind="compare" />`],
        [`${prefix}Difference × 8`, html`<${Difference} file=${file} output=${output} />`]);
    }
  }
  for (const output of ofKind('heatmap')) views.push(['Heatmap', html`<${Mixed} key=${output.blob} file=${file} output=${output} kind="heatmap" />`]);
  for (const output of ofKind('overlay')) views.push(['Overlay', plain(output)]);
  if (isFileShown) views.push(['Picture', html`<${Plain} file=${file} blob=${file.blob} alt=${file.name} />`]);
  const [small] = [...ofKind('preview'), ...ofKind('thumbnail')];
  if (!views.length && small) views.push(['Preview', plain(small)]);
  return views;
}

/** @param {{file: OrderFile, outputs: OrderOutput[]}} props */
function Viewer({ file, outputs }) {
  const views = viewsOf(file, outputs);
  const [chosen, setChosen] = useState('');
  const [shown, view] = views.find(([name]) => name === chosen) ?? views[0] ?? [];
  if (!view) return file.blob && html`<p class="muted">A browser does not show such a file. Save it to look at it.</p>`;
  return html`${views.length > 1 && html`<div class="row wrap" role="group" aria-label="View">${views.map(([name]) => html`<button key=${name}
    type="button" class="button small" aria-pressed=${name === shown} onClick=${() => setChosen(name)}>${name}</button>`)}</div>`}
    <div class="viewer" key=${shown}>${view}</div>`;
}

/** Text of an order without stored bytes. @type {Record<string, string>} */
const EMPTY_TEXTS = { expired: 'The order has expired: its files and outputs were deleted.', pending: '' };
const EMPTY_TEXT = 'No bytes are stored for this order: it is a test key\'s, or its outputs went to the client\'s storage.';

/** @param {{order: any}} props */
export function Files({ order }) {
  /** @type {{files: OrderFile[], outputs: OrderOutput[]}} */
  const { files, outputs } = order;
  const [index, setIndex] = useState(0);
  const file = files[Math.min(index, files.length - 1)];
  const isBulk = order.type === 'bulk';
  const isChoice = files.length > 1 && !isBulk;
  const hasSides = files.some(({ width }) => width);
  const hasResults = files.some(({ result }) => result);
  const ofFile = outputs.filter((output) => output.file === index || (output.file === null && files.length === 1));
  return html`<div class="table-box files"><table><thead><tr><th>file</th><th>size</th>${hasSides && html`<th>pixels</th>`}
      ${hasResults && html`<th>result</th>`}</tr></thead>
      <tbody>${files.map((one, place) => html`<tr key=${place} aria-selected=${isChoice && place === index}>
        <td>${isChoice && one.blob ? html`<button type="button" class="as-link" aria-pressed=${place === index} onClick=${() => setIndex(place)}>${one.name}</button>`
          : one.name}${one.blob && html` <${BlobLink} class="save" id=${one.blob} name=${one.name}>save<//>`}
          ${one.watermarks?.length > 0 && html`<div class="row"><span class="muted">watermark</span><${Watermarks} texts=${one.watermarks} /></div>`}</td>
        <td class="number">${one.bytes === null ? (order.status === 'pending' ? 'not uploaded' : '–') : size(one.bytes)}</td>
        ${hasSides && html`<td class="number">${one.width && `${one.width} × ${one.height}`}</td>`}
        ${hasResults && html`<td>${one.result && html`<${Outcome} outcome=${one.result} vendor=${order.vendor} isSmall=${true} />`}</td>`}</tr>`)}</tbody>
      </table></div>
    ${file && !isBulk && html`<${Viewer} key=${index} file=${file} outputs=${ofFile} />`}
    ${outputs.length > 0 && html`<div class="table-box files"><table><thead><tr><th>output</th><th>name</th><th>size</th></tr></thead>
      <tbody>${outputs.map(({ blob, kind, file: of, name, bytes }) => html`<tr key=${blob}>
        <td>${kind}${of !== null && files.length > 1 && html` <span class="muted">of ${files[of]?.name}</span>`}</td>
        <td><${BlobLink} id=${blob} name=${name} /></td><td class="number">${size(bytes)}</td></tr>`)}</tbody></table></div>`}
    ${outputs.length === 0 && !files.some(({ blob }) => blob) && html`<p class="muted">${EMPTY_TEXTS[order.status] ?? EMPTY_TEXT}</p>`}`;
}
