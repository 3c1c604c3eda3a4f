// Sample orders, made as a client makes them: through the vendor's own routes, with a picture drawn here.

import { CallError, ORIGIN, call } from './api.js';
import { FRESH_KEY } from './first-steps.js';
import { accountKey, state } from './store.js';

const SIDES_PX = { width: 640, height: 420 };

/** Draws a landscape, and returns it as a JPEG. @returns {Promise<Blob>} */
function drawPicture() {
  const { width, height } = SIDES_PX;
  const canvas = Object.assign(document.createElement('canvas'), SIDES_PX);
  const paint = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const hue = Math.floor(Math.random() * 360);
  const sky = paint.createLinearGradient(0, 0, 0, height);
  sky.addColorStop(0, `hsl(${hue} 55% 32%)`);
  sky.addColorStop(1, `hsl(${(hue + 40) % 360} 70% 76%)`);
  paint.fillStyle = sky;
  paint.fillRect(0, 0, width, height);
  paint.fillStyle = `hsl(${(hue + 50) % 360} 90% 88%)`;
  paint.beginPath();
  paint.arc(width * (0.2 + Math.random() * 0.6), height * 0.34, 38, 0, 7);
  paint.fill();
  for (let layer = 0; layer < 4; layer++) {
    paint.fillStyle = `hsl(${(hue + 160) % 360} 30% ${46 - layer * 11}%)`;
    paint.beginPath();
    paint.moveTo(0, height);
    const phase = Math.random() * 9;
    for (let x = 0; x <= width; x += 4) {
      const y = height * (0.5 + layer * 0.12) - Math.sin(x / (70 + layer * 26) + phase) * 26 - Math.sin(x / 23 + phase * 2) * 7;
      paint.lineTo(x, y);
    }
    paint.lineTo(width, height);
    paint.fill();
  }
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The browser made no picture.'))), 'image/jpeg', 0.9);
  });
}

/**
 * Calls a route of a vendor on this origin, and returns the JSON. Presigned URLs of another origin are called here too:
 * their signature does not depend on the host.
 * @param {string} method @param {string} target @param {Record<string, string>} headers @param {BodyInit} [body]
 */
async function request(method, target, headers, body) {
  const url = new URL(target, ORIGIN);
  const response = await fetch(`${ORIGIN}${url.pathname}${url.search}`, { method, headers, body, cache: 'no-store' });
  if (response.ok) return method === 'PUT' ? null : response.json();
  const reason = response.headers.get('X-Mock-Reason') ?? (await response.text()).slice(0, 300);
  throw new CallError(response.status, '', `${method} ${url.pathname} answered ${response.status}`, reason);
}

/** @param {string} key @param {string} route @param {Record<string, unknown>} body */
async function bizmori(key, route, body) {
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  return (await request('POST', `/api/${route}`, headers, JSON.stringify({ idempotencyKey: crypto.randomUUID?.() ?? String(Math.random()), ...body }))).data;
}

/** @param {string} url @param {Blob} picture @param {Record<string, string>} [headers] */
const upload = (url, picture, headers = {}) => request('PUT', url, { 'Content-Type': picture.type, ...headers }, picture);

/** @typedef {{id: string, name: string, make: (key: string) => Promise<string>}} Sample */

/** Samples: each makes an order for an account, and returns its id. @type {Sample[]} */
export const SAMPLES = [
  {
    id: 'aiDetection',
    name: 'BIZ MORI: AI detection with a heatmap',
    make: async (key) => {
      const options = { generateHeatmap: true, generateOverlay: true, generateThumbnail: true };
      const { orderId, file } = await bizmori(key, 'v2/orders/ai-detection', { fileName: 'landscape_ai.jpg', options });
      await upload(file.uploadUrl, await drawPicture());
      await bizmori(key, 'v2/orders/ai-detection/confirm', { orderId });
      return orderId;
    },
  },
  {
    id: 'antiAi',
    name: 'BIZ MORI: Anti-AI, before and after',
    make: async (key) => {
      const { orderId, files } = await bizmori(key, 'v2/orders/anti-ai', { files: [{ fileName: 'landscape.jpg' }] });
      await upload(files[0].uploadUrl, await drawPicture());
      await bizmori(key, 'v2/orders/anti-ai/confirm', { orderId });
      return orderId;
    },
  },
  {
    id: 'watermarkEmbed',
    name: 'BIZ MORI: watermark',
    make: async (key) => {
      const files = [{ fileName: 'landscape.jpg', watermarks: [{ text: 'made at the dashboard' }] }];
      const order = await bizmori(key, 'v3/orders/wtr-embed', { files });
      await upload(order.files[0].uploadUrl, await drawPicture());
      return order.orderId;
    },
  },
  {
    id: 'document',
    name: 'Undetectable AI: document with a heatmap',
    make: async (key) => {
      const slot = await request('GET', '/get-presigned-url?file_name=landscape_ai.jpg', { apikey: key });
      await upload(slot.presigned_url, await drawPicture(), { 'x-amz-acl': 'private' });
      const body = { key, url: slot.file_path, generate_preview: true, generate_heatmap: true };
      return (await request('POST', '/detect', { 'Content-Type': 'application/json' }, JSON.stringify(body))).id;
    },
  },
];

/** Makes a sample order for the selected account, or for a fresh one, and returns its id. @param {Sample} sample */
export async function makeSample(sample) {
  const key = accountKey() ?? FRESH_KEY;
  // A strict server knows no account that was not set up.
  if (!state.accounts.some((account) => account.key === key)) await call('PUT', `accounts/${encodeURIComponent(key)}`, {});
  return sample.make(key);
}
