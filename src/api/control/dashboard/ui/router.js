// Routes in the URL's fragment: #/page/part/part?name=value.

import { useEffect, useState } from './vendor/preact.js';

/** @typedef {{page: string, parts: string[], query: Record<string, string>}} Route */

/** Parses a fragment. @param {string} fragment @returns {Route} */
export function parseRoute(fragment) {
  const [path, query = ''] = fragment.replace(/^#\/?/, '').split('?');
  const [page = '', ...parts] = path.split('/').map(safeDecode);
  return { page, parts: parts.filter(Boolean), query: Object.fromEntries(new URLSearchParams(query)) };
}

/** Decodes percent-encoded text; text that is not is returned as it is. @param {string} text */
export function safeDecode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Returns the link to a page. The account of the current page is kept unless `query` names another; null or an empty
 * string leaves a parameter out.
 * @param {string[]} path @param {Record<string, string | null | undefined>} [query]
 */
export function link(path, query = {}) {
  const all = { account: parseRoute(location.hash).query.account, ...query };
  const pairs = Object.entries(all).filter(([, value]) => value);
  const text = new URLSearchParams(/** @type {[string, string][]} */ (pairs)).toString();
  return `#/${path.map(encodeURIComponent).join('/')}${text ? `?${text}` : ''}`;
}

/** Goes to a page. @param {string[]} path @param {Record<string, string | null | undefined>} [query] */
export const go = (path, query) => void (location.hash = link(path, query));

/** Goes to a page without a new entry in the browser's history. @param {string[]} path @param {Record<string, string | null | undefined>} [query] */
export function replace(path, query) {
  history.replaceState(null, '', link(path, query));
  dispatchEvent(new HashChangeEvent('hashchange'));
}

/** Returns the current route, and follows it. @returns {Route} */
export function useRoute() {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const follow = () => setRoute(parseRoute(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return route;
}
