// The code under test: a client of the two vendors.
//
// It does not know of a mock. The caller sets the vendors' addresses, as in production.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const TRIES = 3;
const TIMEOUT_MS = 30_000;

export class Pictures {
  constructor({ bizmori, undetectable, key }) {
    Object.assign(this, { bizmori, undetectable, key });
  }

  // Returns the picture as BIZ MORI protects it.
  async protect(name, picture) {
    const order = await this.order(name);
    await this.upload(order, picture);
    return this.protected(order);
  }

  order(name) {
    return this.#bizmori("/anti-ai", { idempotencyKey: randomUUID(), files: [{ fileName: name }] });
  }

  // Uploads the picture. Gets a new URL if the first has expired.
  async upload({ orderId, files }, picture) {
    const put = ([{ uploadUrl }]) => fetch(uploadUrl, { method: "PUT", body: picture });
    let response = await put(files);
    if (response.status === 403) {
      response = await put((await this.#bizmori(`/${orderId}/refresh-urls`, {})).files);
    }
    await checked(response);
  }

  async protected({ orderId }) {
    await this.#bizmori("/anti-ai/confirm", { idempotencyKey: randomUUID(), orderId });
    await until("complete", () => this.#bizmori(`/${orderId}`));
    const { downloadUrl } = await this.#bizmori(`/${orderId}/download`);
    return Buffer.from(await (await checked(await fetch(downloadUrl))).arrayBuffer());
  }

  // Returns Undetectable's verdict, and the probability in percent that the picture is AI.
  async judge(name, picture) {
    const query = new URLSearchParams({ file_name: name });
    const slot = await this.#undetectable(`/get-presigned-url?${query}`);
    const headers = { "Content-Type": "image/jpeg", "x-amz-acl": "private" };
    await checked(await fetch(slot.presigned_url, { method: "PUT", headers, body: picture }));
    const url = `${this.undetectable}/${slot.file_path}`;
    const { id } = await this.#undetectable("/detect", { key: this.key, url });
    const document = await until("done", () => this.#undetectable("/query", { id }));
    return { verdict: document.result_details.final_result, percent: document.result };
  }

  async #bizmori(path, body) {
    const headers = { Authorization: `Bearer ${this.key}` };
    return (await call(`${this.bizmori}/api/v2/orders${path}`, headers, body)).data;
  }

  #undetectable(path, body) {
    return call(`${this.undetectable}${path}`, { apikey: this.key }, body);
  }
}

async function checked(response) {
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
  return response;
}

// Makes a GET, or a POST if there is a body. Retries if the vendor is busy.
async function call(url, headers, body) {
  const post = { method: "POST", body: JSON.stringify(body) };
  const postHeaders = { ...headers, "Content-Type": "application/json" };
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(url, body ? { ...post, headers: postHeaders } : { headers });
    if (response.status !== 503 || tries === TRIES) return (await checked(response)).json();
    await response.arrayBuffer();
    await sleep(50 * tries);
  }
}

// Calls `read` until the status is `expected`. Returns the last result.
async function until(expected, read) {
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const result = await read();
    if (result.status === expected) return result;
    if (result.status === "failed" || Date.now() > deadline) {
      throw new Error(`expected ${expected}, got ${JSON.stringify(result)}`);
    }
    await sleep(50);
  }
}
