// A presigned request whose signature does not match: the request as the server signs it, line by line.

import { Fold } from './parts.js';
import { html } from './vendor/preact.js';

/** Names of the lines of a canonical request (AWS Signature Version 4, task 1). */
const LINES = ['method', 'path', 'query'];

/** Text of an element of S3's error document. @param {string} xml @param {string} name */
function element(xml, name) {
  const text = new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(xml)?.[1] ?? '';
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&apos;', "'").replaceAll('&amp;', '&');
}

/** Returns the line that the server's reason names: `method`, or a header. Empty if the reason names none. @param {string} reason */
function differingPart(reason) {
  if (/signed for host /.test(reason)) return 'host';
  if (/signed for [A-Z]+,/.test(reason)) return 'method';
  if (/Content-Type/.test(reason)) return 'content-type';
  return /signed header (\S+)/.exec(reason)?.[1] ?? '';
}

/** @param {{exchange: any}} props */
export function SignatureDiff({ exchange }) {
  const xml = String(exchange.responseBody);
  const lines = element(xml, 'CanonicalRequest').split('\n');
  const differs = differingPart(exchange.reason ?? '');
  return html`<${Fold} title="Signature" note="as the server signs this request">
    <p class="muted">The URL is signed over these lines. Compare them with those of your client: ${differs ? 'the marked one differs.' : 'one of them differs, or the secret.'}</p>
    <div class="table-box"><table class="canonical"><tbody>${lines.map((line, index) => {
      const name = LINES[index] ?? (/^[a-z0-9-]+:/.test(line) ? 'header' : line === '' ? '' : index === lines.length - 1 ? 'payload' : 'signed headers');
      return html`<tr key=${index} class=${differs && (name === differs || line.startsWith(`${differs}:`)) ? 'differs' : ''}><th scope="row">${name}</th><td><code>${line}</code></td></tr>`;
    })}</tbody></table></div>
    <div class="headers"><div><span>string to sign</span><code>${element(xml, 'StringToSign')}</code></div><div><span>signature sent</span><code>${element(xml, 'SignatureProvided')}</code></div></div>
  </${Fold}>`;
}
