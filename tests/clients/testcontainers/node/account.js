// A key, which is a world of its own, and what the control plane does with it. It ends with its test.

import { randomUUID } from "node:crypto";

export class Account {
  key = randomUUID();

  constructor(origin, test) {
    this.origin = origin;
    test.after(() => this.mock("DELETE", `accounts/${this.key}`));
  }

  async mock(method, path, asked) {
    const body = asked && JSON.stringify({ account: this.key, ...asked });
    const answer = await fetch(`${this.origin}/_mock/${path}`, { method, body });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  // What the calls of that operation were answered, in order.
  async statuses(operation) {
    const query = new URLSearchParams({ account: this.key, operation });
    const { requests } = await this.mock("GET", `requests?${query}`);
    return requests.map(({ status }) => status);
  }
}
