// Signatures of webhooks, computed in the page, and as a command.

import { quoted } from './snippets.js';
import { useEffect, useState } from './vendor/preact.js';

/** `false` where the browser has no WebCrypto: on an origin that is neither https nor localhost. */
export const HAS_CRYPTO = Boolean(globalThis.crypto?.subtle);

/** Returns the lower-case hex HMAC-SHA256 of a text. @param {string} secret @param {string} text */
export async function hmacSha256(secret, text) {
  const encoder = new TextEncoder();
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const bytes = new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Returns the HMAC of a text. `null` until it is computed, and without WebCrypto or a secret. @param {string | null} secret @param {string} text */
export function useHmac(secret, text) {
  const [result, setResult] = useState({ of: '', hex: '' });
  const of = `${secret}\n${text}`;
  useEffect(() => {
    if (!HAS_CRYPTO || !secret) return;
    let isCurrent = true;
    hmacSha256(secret, text).then((hex) => isCurrent && setResult({ of, hex }));
    return () => void (isCurrent = false);
  }, [of]);
  return secret && result.of === of ? result.hex : null;
}

/** Returns the command that prints the same HMAC. @param {string} secret @param {string} text */
export const opensslLine = (secret, text) => `printf '%s' ${quoted(text)} | openssl dgst -sha256 -hmac ${quoted(secret)}`;

/**
 * Compares the signature that a request had with the expected one.
 * @param {Record<string, string>} headers @param {string} name @param {string | null} expected
 * @returns {{sent: string | null, verdict: 'valid' | 'wrong' | 'missing' | 'unknown'}}
 */
export function checkSignature(headers, name, expected) {
  const sent = Object.entries(headers).find(([header]) => header.toLowerCase() === name.toLowerCase())?.[1] ?? null;
  if (sent === null) return { sent, verdict: 'missing' };
  if (expected === null) return { sent, verdict: 'unknown' };
  return { sent, verdict: sent.trim().toLowerCase() === expected ? 'valid' : 'wrong' };
}
