// List of which only the visible rows are in the document.

import { html, useEffect, useLayoutEffect, useRef, useState } from './vendor/preact.js';

/** Rows beyond both ends that are rendered too. */
const MARGIN_ROWS = 8;

/** @typedef {{name: string, cell: (row: any, index: number) => any, title?: (row: any) => string, head?: any}} Column */

/**
 * Grid with rows of one height. It follows its end while `isFollowing`; scrolling away from the end calls `onFollow(false)`,
 * and back `onFollow(true)`. `j` and `k` open the row after or before the selected one, or the first: of a list with `onFollow` the last.
 * @param {{label: string, rows: any[], rowKey: (row: any) => string, selected: string | null, onOpen: (row: any) => void, columns: Column[],
 *   isFollowing?: boolean, onFollow?: (isFollowing: boolean) => void}} props
 */
export function VirtualList({ label, rows, rowKey, selected, onOpen, isFollowing = false, onFollow, columns }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [view, setView] = useState({ top: 0, height: 600, row: 28 });
  const expected = useRef(0);
  const pressed = useRef(/** @type {any} */ (undefined));

  const measure = () => {
    const element = box.current;
    if (!element) return;
    const row = parseFloat(getComputedStyle(element).getPropertyValue('--row')) || 28;
    const next = { top: element.scrollTop, height: element.clientHeight, row };
    setView((last) => (last.top === next.top && last.height === next.height && last.row === next.row ? last : next));
  };
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    const element = box.current;
    if (element && isFollowing) {
      element.scrollTop = element.scrollHeight;
      expected.current = element.scrollTop;
    }
    measure();
  });
  const onScroll = () => {
    const element = box.current;
    if (!element) return;
    const isAtEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - view.row;
    if (isFollowing && element.scrollTop < expected.current - 2 && !isAtEnd) onFollow?.(false);
    if (!isFollowing && isAtEnd && element.scrollTop > view.top) onFollow?.(true);
    expected.current = element.scrollTop;
    measure();
  };
  const index = selected === null ? -1 : rows.findIndex((row) => rowKey(row) === selected);
  useEffect(() => {
    const element = box.current;
    if (!element || index < 0 || isFollowing) return;
    const head = element.querySelector('.grid-head')?.clientHeight ?? 0;
    const top = index * view.row;
    if (top < element.scrollTop) element.scrollTop = top;
    if (top + view.row + head > element.scrollTop + element.clientHeight) element.scrollTop = top + view.row + head - element.clientHeight;
  }, [selected, index < 0, isFollowing]);

  useEffect(() => {
    const onMove = (/** @type {any} */ event) => {
      const next = selected === null ? rows.at(onFollow ? -1 : 0) : rows[index + event.detail];
      if (next) onOpen(next);
    };
    addEventListener('dashboard-move', onMove);
    return () => removeEventListener('dashboard-move', onMove);
  });

  // Rows that come move the pressed one away under the pointer: then the click is the list's, and no row's.
  const onPress = (/** @type {any} */ event) => {
    const place = event.target.closest('.grid-row')?.getAttribute('aria-rowindex');
    pressed.current = place ? rows[place - 2] : undefined;
  };
  const onRelease = (/** @type {any} */ event) => event.target === box.current && pressed.current && onOpen(pressed.current);

  const first = Math.max(0, Math.floor(view.top / view.row) - MARGIN_ROWS);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / view.row) + MARGIN_ROWS);
  const shown = rows.slice(first, last);
  const cells = (/** @type {string} */ role, /** @type {(column: Column) => any} */ content, /** @type {any} */ row) => columns.map((column) =>
    html`<span key=${column.name} role=${role} class=${`cell-${column.name.split(' ')[0]}`} title=${row && column.title?.(row)}>${content(column)}</span>`);
  return html`<div class="grid" role="grid" aria-label=${label} aria-rowcount=${rows.length + 1} aria-colcount=${columns.length} tabindex="0" ref=${box}
    onScroll=${onScroll} onPointerDown=${onPress} onClick=${onRelease}>
    <div class="grid-head" role="row" aria-rowindex="1">${cells('columnheader', ({ name, head }) => head ?? name, null)}</div>
    <div role="presentation" style=${{ height: `${first * view.row}px` }}></div>
    ${shown.map((row, offset) => html`<div key=${rowKey(row)} role="row" aria-rowindex=${first + offset + 2} aria-selected=${rowKey(row) === selected}
      class="grid-row" onClick=${(/** @type {any} */ event) => event.target.closest('a, label') ?? onOpen(row)}>
      ${cells('gridcell', ({ cell }) => cell(row, first + offset), row)}</div>`)}
    <div role="presentation" style=${{ height: `${(rows.length - last) * view.row}px` }}></div>
  </div>`;
}
