// Names, keys, headers and bodies that are markup. The dashboard shows them as text on every page.

import assert from "node:assert/strict";

import { call, show } from "./dashboard_page.mjs";

/** Markup with a mark of its own: a letter says where it was planted. A key cannot have blanks. */
const markup = (mark) => `<img/src=x/onerror=document.title='owned-${mark}'>`;

/** Markup by the place where it is planted. */
const PLANTED = Object.fromEntries(
  ["key", "fileName", "header", "body", "query", "path", "hook", "inbox", "message", "rule", "when", "snapshot", "respond"].map((mark) => [mark, `${markup(mark)}<script>alert('${mark}')</script>`]),
);
// A vendor's file name has no slash.
PLANTED.fileName = "<img src=x onerror=document.title='owned'>.png";

/** Plants markup in everything that a client or a test can name. Returns the ids that routes need. */
async function plant(origin, key) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json", "x-hostile": PLANTED.header };
  const of = { account: key };
  const account = encodeURIComponent(key);
  await call(origin, "POST", "/_mock/reset");
  await call(origin, "PUT", "/_mock/clock", { ...of, mode: "frozen", now: "2026-03-12T10:00:00Z" });
  const inbox = encodeURIComponent(PLANTED.inbox);
  await call(origin, "PUT", `/_mock/inbox/${inbox}`, of);
  const hook = { idempotencyKey: "hook", webhookName: PLANTED.hook, url: `${origin}/_mock/inbox/${inbox}` };
  await call(origin, "POST", "/api/v2/orders/webhooks", hook, headers);
  await fetch(`${origin}/_mock/inbox/${inbox}?account=${account}`, { method: "POST", headers: { "x-hostile": PLANTED.header }, body: JSON.stringify({ eventType: PLANTED.message, eventId: PLANTED.message }) });
  const then = { respond: { status: 400, body: { error: PLANTED.respond } } };
  await call(origin, "POST", "/_mock/rules", { ...of, name: PLANTED.rule, when: { path: `/${PLANTED.when}` }, then });
  const files = [{ fileName: PLANTED.fileName, originalFileUrl: "https://example.com/a.png" }];
  const { data } = await call(origin, "POST", "/api/v2/orders/anti-ai", { idempotencyKey: "hostile", files, note: PLANTED.body }, headers);
  await call(origin, "POST", `/_mock/orders/${data.orderId}/fail`, { code: "FAILED", message: PLANTED.body }).catch(() => undefined);
  const last = await fetch(`${origin}/api/v2/orders/${encodeURIComponent(PLANTED.path)}?q=${encodeURIComponent(PLANTED.query)}`, { method: "PUT", headers, body: JSON.stringify({ text: PLANTED.body }) });
  assert.ok(last.status >= 400);
  await call(origin, "PUT", `/_mock/snapshots/${encodeURIComponent(PLANTED.snapshot)}`, of);
  await call(origin, "POST", "/_mock/clock/advance", { ...of, by: "PT1H" });
  const [{ hash }] = (await call(origin, "GET", "/_mock/accounts")).accounts;
  const { requests } = await call(origin, "GET", `/_mock/requests?account=${account}`);
  const { deliveries } = await call(origin, "GET", `/_mock/deliveries?account=${account}`);
  const [{ id: rule }] = (await call(origin, "GET", "/_mock/rules")).rules;
  return { hash, order: data.orderId, seqs: requests.map(({ seq }) => seq), delivery: deliveries.at(-1)?.id, rule, inbox };
}

/** Texts that each route must show, whole. */
function routesOf({ hash, order, seqs, delivery, rule, inbox }) {
  const requests = seqs.map((seq) => [`traffic/${hash}/${seq}`, ["header"]]);
  return [
    ...requests,
    ["now", []],
    ["traffic", ["key"]],
    ["traffic?q=path:*onerror*", []],
    ["orders", ["fileName"]],
    [`orders/${order}`, ["key", "fileName"]],
    ["webhooks", ["key"]],
    [`webhooks/${delivery}`, ["key"]],
    ["inbox", ["key", "inbox"]],
    [`inbox/${inbox}`, ["key", "inbox", "message", "header"]],
    ["rules", ["key", "rule", "when"]],
    [`rules/${rule}`, ["rule", "when", "respond"]],
    [`rules/${rule}?edit=1`, ["rule", "when", "respond"]],
    [`rules/new?from=${encodeURIComponent(`order:${order}`)}`, ["fileName"]],
    ["report", []],
    ["state", ["key", "snapshot"]],
    [`state?account=${hash}`, ["key"]],
  ];
}

/** Opens whatever is folded, and returns all texts of the page, with those of fields and tooltips. */
function readAll() {
  for (const details of document.querySelectorAll("details:not(.menu)")) details.open = true;
  const fields = [...document.querySelectorAll("input, textarea, select")].map((field) => field.value);
  const titles = [...document.querySelectorAll("[title]")].map((element) => element.title);
  return [document.body.textContent, ...fields, ...titles].join("\n");
}

/** Elements that only markup of a text can have made. */
const countPlanted = () => document.querySelectorAll("[onerror], img[src$='/x'], img[src='x'], script:not([src])").length;

export async function testHostileTexts({ test, withDashboard, origin }) {
  await test("hostile names, keys, headers and bodies stay texts on every page", async () => {
    const ids = await plant(origin, PLANTED.key);
    await withDashboard({}, async (page) => {
      const missing = [];
      for (const [route, marks] of routesOf(ids)) {
        await show(page, route);
        const text = await page.evaluate(readAll);
        assert.equal(await page.evaluate(countPlanted), 0, route);
        assert.doesNotMatch(await page.title(), /owned/, route);
        const isIn = (value) => text.includes(value) || text.includes(JSON.stringify(value).slice(1, -1));
        missing.push(...marks.filter((mark) => !isIn(PLANTED[mark])).map((mark) => `the ${mark} on ${route}`));
      }
      assert.deepEqual(missing, [], "texts that are not shown");
      await page.getByTitle("Switch the account").click();
      await page.getByRole("dialog").getByRole("button", { name: PLANTED.key }).waitFor();
    });
  });
}
