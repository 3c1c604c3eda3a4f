// Source of preact.js: what the dashboard uses of Preact, its hooks and htm. See README.md.
import { h } from "preact";
import htm from "htm";

export { Component, Fragment, createContext, createRef, h, render } from "preact";
export {
  useCallback, useContext, useEffect, useErrorBoundary, useId, useLayoutEffect, useMemo, useReducer, useRef, useState,
} from "preact/hooks";

/** Template tag for markup: html`<p class=${name}>${text}</p>`. */
export const html = htm.bind(h);

/**
 * Returns `component` so that it is drawn again only if `isEqual` is false of its properties before and
 * after. By default each property has to be the same object, also functions and lists (`useCallback`,
 * `useMemo`).
 */
export function memo(component, isEqual = hasSameProperties) {
  function Memo(props) {
    this.shouldComponentUpdate = (next) => !isEqual(this.props, next);
    return h(component, props);
  }
  Memo.displayName = `Memo(${component.displayName || component.name})`;
  return Memo;
}

function hasSameProperties(before, after) {
  for (const name in after) if (after[name] !== before[name]) return false;
  for (const name in before) if (!(name in after)) return false;
  return true;
}
