// An account: a key, and calls of the control plane about it. It is deleted at the end of its test.

import { randomUUID } from "node:crypto";

export class Account {
  key = randomUUID();

  constructor(origin, test) {
    this.origin = origin;
    test.after(() => this.mock("DELETE", `accounts/${this.key}`));
  }

  async mock(method, path, fields) {
    const body = fields && JSON.stringify({ account: this.key, ...fields });
    const response = await fetch(`${this.origin}/_mock/${path}`, { method, body });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return text && JSON.parse(text);
  }

  // Returns the statuses of the operation's responses, in order.
  async statuses(operation) {
    const query = new URLSearchParams({ account: this.key, operation });
    const { requests } = await this.mock("GET", `requests?${query}`);
    return requests.map(({ status }) => status);
  }
}
