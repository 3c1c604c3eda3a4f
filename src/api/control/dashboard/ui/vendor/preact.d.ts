// Types of the names that preact.js exports, as far as the dashboard uses them.
export type Ref<T> = { current: T };
export function html(strings: TemplateStringsArray, ...values: any[]): any;
export function h(type: any, props: any, ...children: any[]): any;
export function render(node: any, parent: Element): void;
export function memo<P>(component: (props: P) => any, isEqual?: (before: P, after: P) => boolean): (props: P) => any;
export const Fragment: any;
export function createContext<T>(value: T): any;
export function useState<T>(initial: T | (() => T)): [T, (next: T | ((last: T) => T)) => void];
export function useReducer<S, A>(reduce: (state: S, action: A) => S, initial: S): [S, (action: A) => void];
export function useRef<T>(initial: T): Ref<T>;
export function useEffect(effect: () => void | (() => void), inputs?: readonly unknown[]): void;
export function useLayoutEffect(effect: () => void | (() => void), inputs?: readonly unknown[]): void;
export function useMemo<T>(make: () => T, inputs: readonly unknown[]): T;
export function useCallback<T extends (...values: any[]) => any>(call: T, inputs: readonly unknown[]): T;
export function useContext<T>(context: any): T;
export function useErrorBoundary(handle?: (error: any) => void): [any, () => void];
export function useId(): string;
