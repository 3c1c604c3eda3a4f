// The code under test: what a service of yours asks of the two vendors.
//
// Nothing here knows of a mock. Where the vendors are is told from outside, as in production.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const TRIES = 3;
const PATIENCE_MS = 30_000;

export class Pictures {
  constructor({ bizmori, undetectable, key }) {
    Object.assign(this, { bizmori, undetectable, key });
  }

  // The picture as BIZ MORI protects it.
  async protect(name, picture) {
    const order = await this.order(name);
    await this.upload(order, picture);
    return this.protected(order);
  }

  order(name) {
    return this.#bizmori("/anti-ai", { idempotencyKey: randomUUID(), files: [{ fileName: name }] });
  }

  // A URL that expired while the order waited is asked for anew.
  async upload({ orderId, files }, picture) {
    const put = ([{ uploadUrl }]) => fetch(uploadUrl, { method: "PUT", body: picture });
    let answer = await put(files);
    if (answer.status === 403) {
      answer = await put((await this.#bizmori(`/${orderId}/refresh-urls`, {})).files);
    }
    await good(answer);
  }

  async protected({ orderId }) {
    await this.#bizmori("/anti-ai/confirm", { idempotencyKey: randomUUID(), orderId });
    await until("complete", () => this.#bizmori(`/${orderId}`));
    const { downloadUrl } = await this.#bizmori(`/${orderId}/download`);
    return Buffer.from(await (await good(await fetch(downloadUrl))).arrayBuffer());
  }

  // Undetectable's verdict, and the chance in percent that a machine made the picture.
  async judge(name, picture) {
    const query = new URLSearchParams({ file_name: name });
    const slot = await this.#undetectable(`/get-presigned-url?${query}`);
    const headers = { "Content-Type": "image/jpeg", "x-amz-acl": "private" };
    await good(await fetch(slot.presigned_url, { method: "PUT", headers, body: picture }));
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

async function good(answer) {
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status} ${await answer.text()}`);
  return answer;
}

// A GET, or a POST where there is a body. A vendor that is busy is asked again.
async function call(url, headers, body) {
  const asked = { method: "POST", body: JSON.stringify(body) };
  const typed = { ...headers, "Content-Type": "application/json" };
  for (let tries = 1; ; tries += 1) {
    const answer = await fetch(url, body ? { ...asked, headers: typed } : { headers });
    if (answer.status !== 503 || tries === TRIES) return (await good(answer)).json();
    await answer.arrayBuffer();
    await sleep(50 * tries);
  }
}

// What is read once its status is as wanted.
async function until(wanted, read) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await read();
    if (found.status === wanted) return found;
    if (found.status === "failed" || Date.now() > deadline) {
      throw new Error(`not ${wanted}: ${JSON.stringify(found)}`);
    }
    await sleep(50);
  }
}
