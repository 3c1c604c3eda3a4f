// Helpers of the dashboard's tests: a page that notes what must not happen, data over HTTP, and servers of a test's own.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

import axe from "axe-core";

export const KEY = "browser-tests";
/** File name, header and body text that must never become markup. */
export const HOSTILE = "<img src=x onerror=document.title='owned'>";

/** Calls the server, and returns the JSON of the response. */
export async function call(origin, method, path, body, headers = {}) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await fetch(`${origin}${path}`, { method, body: text, headers });
  const content = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${content}`);
  return content.startsWith("{") ? JSON.parse(content) : content;
}

/** Sets up an account with an order that is complete, a webhook, a rule, an inbox and a refused request.
 * Returns the ids that routes need. */
export async function createData(origin, picture) {
  const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
  const bizmori = (method, path, body) => call(origin, method, `/api/v2/orders${path}`, body, headers);
  await call(origin, "POST", "/_mock/reset");
  await call(origin, "PUT", "/_mock/clock", { account: KEY, mode: "frozen", now: "2026-03-12T10:00:00Z" });
  await call(origin, "PUT", `/_mock/inbox/tests?account=${KEY}`, {});
  const url = `${origin}/_mock/inbox/tests`;
  await bizmori("POST", "/webhooks", { idempotencyKey: "hook", webhookName: HOSTILE, url });
  await call(origin, "POST", "/_mock/rules", {
    account: KEY, name: HOSTILE, when: { path: "/api/v2/orders/never" }, then: { delayMs: 0 },
  });
  const created = await bizmori("POST", "/ai-detection", { idempotencyKey: "create", fileName: "photo_ai.jpg" });
  const { orderId, file } = created.data;
  const put = await fetch(file.uploadUrl, { method: "PUT", body: await readFile(picture) });
  assert.equal(put.status, 200);
  await bizmori("POST", "/ai-detection/confirm", { idempotencyKey: "confirm", orderId });
  await call(origin, "POST", "/_mock/clock/advance", { account: KEY, by: "PT5S" });
  await fetch(`${origin}/api/v2/orders/1?q=${encodeURIComponent(HOSTILE)}`, { headers: { ...headers, "x-hostile": HOSTILE } });
  const { requests } = await call(origin, "GET", `/_mock/requests?account=${KEY}`);
  const { accounts } = await call(origin, "GET", "/_mock/accounts");
  const { deliveries } = await call(origin, "GET", `/_mock/deliveries?account=${KEY}`);
  const { rules } = await call(origin, "GET", "/_mock/rules");
  const { hash } = accounts.find(({ key }) => key === KEY);
  return { orderId, hash, seq: requests.at(-1).seq, delivery: deliveries.at(-1)?.id, rule: rules[0].id };
}

/** Returns the routes of the dashboard: those of the navigation, and those of one entry of `data`. */
export function routes(data) {
  const pages = ["now", "traffic", "orders", "webhooks", "inbox", "rules", "report", "state"];
  if (data === null) return pages;
  const { orderId, hash, seq, delivery, rule } = data;
  const entries = [`traffic/${hash}/${seq}`, `orders/${orderId}`, `webhooks/${delivery}`, "inbox/tests", `rules/${rule}`];
  return [...pages, ...entries];
}

/** Opens the dashboard at `route`. `problems` collects what must not happen: errors on the console, which has
 * breaches of the content security policy too, uncaught errors, and requests to another host. */
export async function openDashboard(browser, origin, { route = "", colorScheme = "light", width = 1600 } = {}) {
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 }, reducedMotion: "reduce" });
  const page = await context.newPage();
  const problems = [];
  const open = new Set();
  pending.set(page, open);
  page.on("console", (message) => {
    // A count that differs from the expected one is answered 422, which is no fault of the page.
    const isMismatch = message.location().url.endsWith("/_mock/requests/verify") && message.text().includes("422");
    if (message.type() === "error" && !isMismatch) problems.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => problems.push(`uncaught: ${error.message}`));
  page.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  for (const event of ["requestfinished", "requestfailed"]) page.on(event, (request) => open.delete(request));
  page.on("request", (request) => {
    const url = request.url();
    if (!/\/_mock\/events\b/.test(url)) open.add(request);
    if (!url.startsWith(`${origin}/`) && !url.startsWith("blob:")) problems.push(`request to ${url}`);
  });
  await page.addInitScript({ content: axe.source });
  await page.goto(`${origin}/_mock/#/${route}`);
  await settle(page);
  return { page, problems, close: () => context.close() };
}

/** Shows another route on the open page. */
export async function show(page, route) {
  await page.evaluate((hash) => { location.hash = hash; }, `#/${route}`);
  await settle(page);
}

/** Requests of a page that have no response yet, without its live connection, which never ends. @type {WeakMap<any, Set<any>>} */
const pending = new WeakMap();

/** Waits until the page is live and has drawn what it fetched. */
export async function settle(page) {
  await page.locator("main").waitFor();
  await liveState(page, /^(live|paused)/);
  for (let calm = 0; calm < 3; calm = pending.get(page)?.size ? 0 : calm + 1) {
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  }
}

/** Waits until the indicator of the live connection shows a text. */
export async function liveState(page, text) {
  await page.getByRole("banner").getByRole("status").filter({ hasText: text }).waitFor({ timeout: 30_000 });
}

/** Calls `read` until it returns a value that is not false, and returns that value. */
export async function eventually(what, read) {
  const end = Date.now() + 20_000;
  for (let last; ; await pause(50)) {
    try {
      last = await read();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`${what} did not happen: ${last?.message ?? JSON.stringify(last)}`);
  }
}

/** Starts a server, and returns its port, its origin, and a function that stops it by SIGTERM. */
export async function startServer(program, ...settings) {
  const child = spawn(program, settings, { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const port = await Promise.race([
    (async () => {
      for await (const line of lines) {
        const [, found] = / listening on http:[^,]*:(\d+),/.exec(line) ?? [];
        if (found) return found;
      }
    })(),
    ended.then(([code]) => { throw new Error(`${program} ended with ${code}`); }),
  ]);
  const stop = async () => {
    child.kill("SIGTERM");
    const [code] = await ended;
    assert.equal(code, 0, "exit code on SIGTERM");
  };
  return { port, origin: `http://127.0.0.1:${port}`, stop };
}

/** Returns the violations that axe finds, one line each. */
export async function violations(page) {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const found = await page.evaluate((values) => axe.run(document, { runOnly: { type: "tag", values } }), tags);
  const line = ({ id, help, nodes }) => {
    const places = nodes.slice(0, 3).map(({ target, any }) => `${target.join(" ")} ${any[0]?.message ?? ""}`);
    return `${id} (${help}): ${nodes.length} × ${places.join(" | ")}`;
  };
  return found.violations.map(line);
}
