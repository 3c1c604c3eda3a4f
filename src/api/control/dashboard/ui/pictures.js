// Files and outputs of an order, and the pictures among them: before and after, heatmap, difference.

import { size } from './format.js';
import { BlobImage, BlobLink, Problem, readBlob } from './parts.js';
import { Outcome, WatermarkTexts } from './verdict.js';
import { html, useEffect, useRef, useState } from './vendor/preact.js';

/**
 * @typedef {{name: string, bytes: number | null, contentType: string | null, width: number | null, height: number | null,
 *   blob: string | null, watermarks: string[], result: any}} OrderFile
 * @typedef {{name: string, kind: string, file: number | null, bytes: number, contentType: string | null, blob: string}} OrderOutput
 */

const STAGE_HEIGHT_PX = 400;
/** Factor of the difference. */
const GAIN = 8;
/** Pixels of the largest pictures that are compared. */
const PIXELS_MAX = 24e6;

/** `true` if browsers show such a picture. @param {{name: string, contentType: string | null}} file */
const isShown = ({ name, contentType }) =>
  /\.(jpe?g|jfif|png|gif|webp|bmp|avif|svg)$/i.test(name) || /^image\/(png|jpeg|gif|webp|bmp|avif)$/.test(contentType ?? '');

/** Size of the stage, so that it does not move while the picture loads. @param {OrderFile} file @returns {Record<string, string>} */
function stageStyle({ width, height }) {
  if (!width || !height) return {};
  return { aspectRatio: `${width} / ${height}`, width: `min(100%, ${Math.round((STAGE_HEIGHT_PX * width) / height)}px)` };
}

/** Slider with a value from 0 to 100. @param {{label: string, from: string, to: string, value: number, onChange: (value: number) => void}} props */
const Slider = ({ label, from, to, value, onChange }) => html`<label class="slider"><span>${from}</span>
  <input type="range" min="0" max="100" value=${value} aria-label=${label} aria-valuetext=${`${value} %`}
    onInput=${(/** @type {any} */ event) => onChange(Number(event.target.value))} /><span>${to}</span></label>`;

/** The file and its output, one over the other: the slider and the pointer move the edge. @param {{file: OrderFile, output: OrderOutput}} props */
function BeforeAfter({ file, output }) {
  const [edge, setEdge] = useState(50);
  const follow = (/** @type {any} */ event) => {
    if (event.type === 'pointerdown') event.currentTarget.setPointerCapture(event.pointerId);
    if (!event.buttons) return;
    const box = event.currentTarget.getBoundingClientRect();
    setEdge(Math.round(Math.min(100, Math.max(0, ((event.clientX - box.left) / box.width) * 100))));
  };
  return html`<div class="viewer"><div class="stage drag" style=${stageStyle(file)} onPointerDown=${follow} onPointerMove=${follow}>
      <${BlobImage} id=${file.blob} alt=${`${file.name}, before`} />
      <${BlobImage} id=${output.blob} alt=${`${file.name}, after`} style=${{ clipPath: `inset(0 0 0 ${edge}%)` }} />
      <i class="edge" style=${{ left: `${edge}%` }}></i></div>
    <${Slider} label="Edge between before and after" from="before" to="after" value=${edge} onChange=${setEdge} /></div>`;
}

/** A heatmap over the file, with an opacity. @param {{file: OrderFile, output: OrderOutput}} props */
function HeatmapView({ file, output }) {
  const [opacity, setOpacity] = useState(60);
  return html`<div class="viewer"><div class="stage" style=${stageStyle(file)}>
      ${file.blob && isShown(file) && html`<${BlobImage} id=${file.blob} alt=${file.name} />`}
      <${BlobImage} id=${output.blob} alt=${`Heatmap of ${file.name}`} style=${{ opacity: String(opacity / 100) }} /></div>
    <${Slider} label="Opacity of the heatmap" from="picture" to="heatmap" value=${opacity} onChange=${setOpacity} /></div>`;
}

/** Reads the pixels of a picture, without colour conversion. @param {string} id */
async function readPixels(id) {
  const bitmap = await createImageBitmap(await readBlob(id), { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  const { width, height } = bitmap;
  if (width * height > PIXELS_MAX) throw new Error(`A picture of ${width} × ${height} is too large to compare here.`);
  const paint = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!paint) throw new Error('The browser gave no canvas.');
  paint.drawImage(bitmap, 0, 0);
  bitmap.close();
  return paint.getImageData(0, 0, width, height);
}

/** Puts the difference, amplified, into `after`. @param {ImageData} before @param {ImageData} after */
function subtract(before, after) {
  if (before.width !== after.width || before.height !== after.height) {
    throw new Error(`The sizes differ: ${before.width} × ${before.height} before, ${after.width} × ${after.height} after.`);
  }
  const [from, to] = [before.data, after.data];
  let largest = 0;
  let changed = 0;
  for (let at = 0; at < to.length; at += 4) {
    let most = 0;
    for (let channel = at; channel < at + 3; channel++) {
      const distance = Math.abs(from[channel] - to[channel]);
      most = Math.max(most, distance);
      to[channel] = distance * GAIN;
    }
    to[at + 3] = 255;
    largest = Math.max(largest, most);
    if (most > 0) changed++;
  }
  return { largest, share: changed / (to.length / 4) };
}

/** The difference between file and output, amplified. @param {{file: OrderFile, output: OrderOutput}} props */
function Difference({ file, output }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [result, setResult] = useState(/** @type {{largest: number, share: number} | null} */ (null));
  const [error, setError] = useState(/** @type {any} */ (null));
  useEffect(() => {
    let isGone = false;
    setResult(null);
    setError(null);
    const draw = async () => {
      const [before, after] = await Promise.all([readPixels(/** @type {string} */ (file.blob)), readPixels(output.blob)]);
      if (isGone || !canvas.current) return;
      const found = subtract(before, after);
      Object.assign(canvas.current, { width: after.width, height: after.height });
      canvas.current.getContext('2d')?.putImageData(after, 0, 0);
      setResult(found);
    };
    draw().catch((failure) => isGone || setError(failure));
    return () => void (isGone = true);
  }, [file.blob, output.blob]);
  const share = result && (result.share * 100).toFixed(result.share < 0.1 ? 2 : 1);
  const text = result && (result.largest === 0 ? 'The pixels are equal.' : `Largest difference ${result.largest} of 255; ${share} % of the pixels differ.`);
  return html`<div class="viewer">${error ? html`<${Problem} error=${error} />` : html`<div class="stage" style=${stageStyle(file)}><canvas ref=${canvas}
    role="img" aria-label=${`Difference of ${file.name} before and after, times ${GAIN}`}></canvas></div>`}
    <p class="muted" role="status">${text ?? (error ? '' : 'Comparing…')}</p></div>`;
}

/** @param {{file: OrderFile, blob: string, alt: string}} props */
const Plain = ({ file, blob, alt }) => html`<div class="viewer"><div class="stage" style=${stageStyle(file)}><${BlobImage} id=${blob} alt=${alt} /></div>
  </div>`;

/** Ways to look at a file, the most telling first. @param {OrderFile} file @param {OrderOutput[]} outputs @returns {{id: string, name: string, view: any}[]} */
function viewsOf(file, outputs) {
  const isFileShown = file.blob !== null && isShown(file);
  const made = outputs.filter((output) => output.kind === 'output' && isShown(output));
  const views = [];
  for (const [index, output] of made.entries()) {
    const prefix = made.length > 1 ? `${index + 1}: ` : '';
    if (isFileShown) {
      views.push({ id: `compare-${index}`, name: `${prefix}Before and after`, view: html`<${BeforeAfter} key=${output.blob} file=${file} output=${output}
        />` });
      views.push({ id: `difference-${index}`, name: `${prefix}Difference × ${GAIN}`, view: html`<${Difference} key=${output.blob} file=${file}
        output=${output} />` });
    } else {
      views.push({ id: `output-${index}`, name: `${prefix}Output`, view: html`<${Plain} key=${output.blob} file=${file} blob=${output.blob} alt=${output.name}
        />` });
    }
  }
  for (const output of outputs) {
    if (output.kind === 'heatmap') views.push({ id: 'heatmap', name: 'Heatmap', view: html`<${HeatmapView} file=${file} output=${output} />` });
    if (output.kind === 'overlay') views.push({ id: 'overlay', name: 'Overlay', view: html`<${Plain} file=${file} blob=${output.blob}
      alt=${`Heatmap on ${file.name}`} />` });
  }
  if (isFileShown) views.push({ id: 'picture', name: 'Picture', view: html`<${Plain} file=${file} blob=${file.blob} alt=${file.name} />` });
  const small = outputs.find(({ kind }) => kind === 'preview') ?? outputs.find(({ kind }) => kind === 'thumbnail');
  if (!views.length && small) views.push({ id: 'small', name: small.kind === 'preview' ? 'Preview' : 'Thumbnail', view: html`<${Plain} file=${file}
    blob=${small.blob} alt=${small.name} />` });
  return views;
}

/** @param {{file: OrderFile, outputs: OrderOutput[]}} props */
function Viewer({ file, outputs }) {
  const views = viewsOf(file, outputs);
  const [chosen, setChosen] = useState('');
  const view = views.find(({ id }) => id === chosen) ?? views[0];
  if (!view) return file.blob && html`<p class="muted">A browser does not show such a file. Save it to look at it.</p>`;
  return html`${views.length > 1 && html`<div class="tabs wrap" role="group" aria-label="View">${views.map(({ id, name }) => html`<button key=${id}
    type="button" class="button small" aria-pressed=${id === view.id} onClick=${() => setChosen(id)}>${name}</button>`)}</div>`}${view.view}`;
}

/** @param {OrderFile} file */
const sidesOf = ({ width, height }) => (width && height ? `${width} × ${height}` : '');

/** Text of an order without stored bytes. @param {string} status */
function emptyText(status) {
  if (status === 'expired') return 'The order has expired: its files and outputs were deleted.';
  return status === 'pending' ? '' : 'No bytes are stored for this order: it is a test key\'s, or its outputs went to the client\'s storage.';
}

/** @param {{order: any}} props */
export function Files({ order }) {
  /** @type {OrderFile[]} */
  const files = order.files;
  /** @type {OrderOutput[]} */
  const outputs = order.outputs;
  const [index, setIndex] = useState(0);
  const file = files[Math.min(index, files.length - 1)];
  const isBulk = order.type === 'bulk';
  const hasSides = files.some(({ width }) => width);
  const hasResults = files.some(({ result }) => result);
  const ofFile = outputs.filter((output) => output.file === index || (output.file === null && files.length === 1));
  return html`<div class="table-box files"><table><thead><tr><th>file</th><th>size</th>${hasSides && html`<th>pixels</th>`}
      ${hasResults && html`<th>result</th>`}</tr></thead>
      <tbody>${files.map((one, place) => html`<tr key=${place} class=${files.length > 1 && one.blob ? 'link' : ''}
        aria-selected=${files.length > 1 && !isBulk && place === index} onClick=${() => one.blob && setIndex(place)}>
        <td>${files.length > 1 && one.blob && !isBulk ? html`<button type="button" class="as-link" aria-pressed=${place === index}
          onClick=${() => setIndex(place)}>${one.name}</button>` : one.name}
          ${one.blob && html` <${BlobLink} class="save" id=${one.blob} name=${one.name}>save</${BlobLink}>`}
          ${one.watermarks?.length > 0 && html`<div class="row"><span class="muted">watermark</span><${WatermarkTexts} texts=${one.watermarks} /></div>`}</td>
        <td class="number">${one.bytes === null ? html`<span class="muted">${order.status === 'pending' ? 'not uploaded' : '–'}</span>` : size(one.bytes)}
          </td>${hasSides && html`<td class="number">${sidesOf(one)}</td>`}
        ${hasResults && html`<td>${one.result && html`<${Outcome} outcome=${one.result} vendor=${order.vendor} isSmall=${true} />`}</td>`}</tr>`)}</tbody>
          </table></div>
    ${file && !isBulk && html`<${Viewer} key=${index} file=${file} outputs=${ofFile} />`}
    ${outputs.length > 0 && html`<${Outputs} outputs=${outputs} files=${files} />`}
    ${outputs.length === 0 && !files.some(({ blob }) => blob) && html`<p class="muted">${emptyText(order.status)}</p>`}`;
}

/** @param {{outputs: OrderOutput[], files: OrderFile[]}} props */
const Outputs = ({ outputs, files }) => html`<div class="table-box files"><table><thead><tr><th>output</th><th>name</th><th>size</th></tr></thead>
  <tbody>${outputs.map((output) => html`<tr key=${output.blob}>
    <td>${output.kind}${output.file !== null && files.length > 1 ? html` <span class="muted">of ${files[output.file]?.name}</span>` : ''}</td>
    <td><${BlobLink} id=${output.blob} name=${output.name} /></td><td class="number">${size(output.bytes)}</td></tr>`)}</tbody></table></div>`;
