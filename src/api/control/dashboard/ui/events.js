// The live connection: events of the server, read by fetch, because a header can carry the control token.

import { CallError, send, withQuery } from './api.js';

const RETRY_MS_MIN = 400;
const RETRY_MS_MAX = 5000;

/**
 * Follows the server's events, and resumes by revision after a break. A hidden tab closes its connection, because a
 * browser allows six connections to a host.
 */
export class EventFeed {
  /**
   * @param {(event: string, data: any) => void} onEvent
   * @param {(state: 'live' | 'gone' | 'hidden' | 'refused', error?: CallError) => void} onState
   */
  constructor(onEvent, onState) {
    this.onEvent = onEvent;
    this.onState = onState;
    /** @type {number | null} */
    this.revision = null;
    this.abort = new AbortController();
    this.isRunning = false;
    document.addEventListener('visibilitychange', () => (document.hidden ? this.stop() : this.start()));
  }

  /** Starts at a revision. @param {number} revision */
  startAt(revision) {
    this.revision = revision;
    this.start();
  }

  start() {
    if (this.isRunning || this.revision === null || document.hidden) return;
    this.isRunning = true;
    this.abort = new AbortController();
    this.run(this.abort.signal);
  }

  stop() {
    if (!this.isRunning) return;
    this.isRunning = false;
    this.abort.abort();
    this.onState('hidden');
  }

  /** @param {AbortSignal} signal */
  async run(signal) {
    for (let wait = RETRY_MS_MIN; !signal.aborted;) {
      try {
        const response = await send(withQuery('events', { since: this.revision }), { signal, headers: { Accept: 'text/event-stream' } });
        if (!response.ok || !response.body) {
          const error = (await response.json().catch(() => null))?.error ?? {};
          this.onState('refused', new CallError(response.status, error.code, error.message ?? `events: ${response.status}`, error.hint));
        } else {
          this.onState('live');
          wait = RETRY_MS_MIN;
          await this.read(response.body.getReader());
          this.onState('gone');
        }
      } catch {
        if (signal.aborted) return;
        this.onState('gone');
      }
      await new Promise((resume) => setTimeout(resume, wait));
      wait = Math.min(wait * 2, RETRY_MS_MAX);
    }
  }

  /** Reads frames until the stream ends. @param {ReadableStreamDefaultReader<Uint8Array>} reader */
  async read(reader) {
    const decoder = new TextDecoder();
    for (let buffer = ''; ;) {
      const { done, value } = await reader.read();
      if (done) return;
      buffer += decoder.decode(value, { stream: true });
      const frames = buffer.split('\n\n');
      buffer = frames.pop() ?? '';
      for (const frame of frames) this.dispatch(frame);
    }
  }

  /** @param {string} frame */
  dispatch(frame) {
    const fields = { id: '', event: '', data: '' };
    for (const line of frame.split('\n')) {
      const [, name, value] = /^(id|event|data): ?(.*)$/.exec(line) ?? [];
      if (name) fields[/** @type {'id'} */ (name)] += value;
    }
    if (fields.event) this.onEvent(fields.event, JSON.parse(fields.data));
    if (fields.id) this.revision = Number(fields.id);
  }
}
