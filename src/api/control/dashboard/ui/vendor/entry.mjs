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
 * Returns `component` so that it is drawn again only if a property of it has changed. Functions and lists
 * have to be the same objects for this (`useCallback`, `useMemo`).
 */
export function memo(component) {
  function Memo(props) {
    this.shouldComponentUpdate = (next) => {
      for (const name in next) if (next[name] !== this.props[name]) return true;
      for (const name in this.props) if (!(name in next)) return true;
      return false;
    };
    return h(component, props);
  }
  Memo.displayName = `Memo(${component.displayName || component.name})`;
  return Memo;
}
