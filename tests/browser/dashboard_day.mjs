// A day of a user: from the empty dashboard over the page's own snippets to orders, webhooks, rules and snapshots. Each step
// acts on the page alone, and is checked over HTTP too.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { call, eventually, settle, show } from "./dashboard_page.mjs";

/** Runs a snippet as a person pastes it. A response with an error status fails it. Returns the output. */
async function runSnippet(text) {
  const script = `curl() { command curl --fail-with-body "$@"; }\n${text}`;
  try {
    return (await promisify(execFile)("bash", ["-euo", "pipefail", "-c", script], { timeout: 30_000 })).stdout;
  } catch (error) {
    throw new Error(`${text}\n${error.stdout}${error.stderr}`);
  }
}

/** Texts of the snippets that the page shows. */
const snippets = (page) => page.locator("main figure pre").allTextContents();

const button = (within, name) => within.getByRole("button", { name });
const region = (page, name) => page.getByRole("region", { name, exact: true });

/** Waits until the page is at a route, and returns the last part of it. */
async function arrive(page, pattern) {
  await page.waitForURL((url) => pattern.test(url.hash));
  await settle(page);
  return pattern.exec(new URL(page.url()).hash)[1];
}

/** Collects the snippets of all empty pages, by page. */
async function readEmptyPages(page) {
  const texts = { traffic: await snippets(page) };
  await button(page, "Undetectable AI").click();
  texts.undetectable = await snippets(page);
  assert.notDeepEqual(texts.undetectable, texts.traffic);
  for (const [name, title] of [["orders", "No orders yet"], ["webhooks", "Waiting for the first webhook"], ["inbox", "No inbox yet"], ["rules", "No rules"]]) {
    await page.getByRole("navigation").getByRole("link", { name, exact: false }).click();
    await page.getByRole("heading", { name: title }).waitFor();
    texts[name] = await snippets(page);
    assert.ok(texts[name].length > 0, `${name} has no snippet`);
  }
  return texts;
}

/** Acts of the day in their order. Each takes the page and what the acts before it found out. */
const ACTS = {
  "every snippet of the empty pages works": async ({ page, origin }) => {
    await page.getByRole("heading", { name: "Waiting for the first request" }).waitFor();
    const texts = await readEmptyPages(page);
    await show(page, "traffic");
    for (const [name, all] of Object.entries(texts)) {
      const outputs = [];
      for (const text of all) outputs.push(await runSnippet(text));
      if (name === "webhooks" || name === "inbox") assert.match(outputs.at(-1), /"eventType"/, `${name}: no message came`);
    }
    await region(page, "Requests").getByText("createAntiAi").first().waitFor();
    const { requests } = await call(origin, "GET", "/_mock/requests");
    assert.ok(requests.some(({ operation, status }) => operation === "undetectable.checkUserCredits" && status === 200));
    assert.equal((await call(origin, "GET", "/_mock/rules")).rules.length, texts.rules.length);
  },

  "a reset on State names what goes, and empties the server": async ({ page, origin }) => {
    await show(page, "state");
    await button(page, "Reset everything").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("3 rules").waitFor();
    await button(dialog, "Reset everything").click();
    await dialog.waitFor({ state: "detached" });
    assert.deepEqual((await call(origin, "GET", "/_mock/accounts")).accounts, []);
    assert.deepEqual((await call(origin, "GET", "/_mock/rules")).rules, []);
  },

  "the account of a first webhook is selected, and its clock frozen": async (day) => {
    const { page, origin } = day;
    await show(page, "webhooks");
    const [register] = await snippets(page);
    await runSnippet(register);
    await page.getByText("1 endpoint", { exact: true }).waitFor();
    const { webhooks } = await call(origin, "GET", "/_mock/webhooks");
    assert.equal(webhooks.length, 1);
    day.key = webhooks[0].account;
    await page.getByTitle("Switch the account").click();
    await page.getByRole("dialog").getByRole("button", { name: day.key }).click();
    await arrive(page, /account=([0-9a-f]{8})/);
    await page.getByTitle("Clock of the account").click();
    await button(page.getByRole("banner"), "Freeze").click();
    await eventually("the freeze", async () => (await call(origin, "GET", `/_mock/clock?account=${day.key}`)).mode === "frozen");
    await page.getByRole("banner").getByText("frozen").waitFor();
    await page.keyboard.press("Escape");
  },

  "a button on Orders makes a sample order": async (day) => {
    const { page, origin } = day;
    await page.getByRole("navigation").getByRole("link", { name: "Orders" }).click();
    await button(page, "BIZ MORI: Anti-AI, before and after").click();
    day.order = await arrive(page, /#\/orders\/([^?]+)/);
    await region(page, "Order").getByText("in progress").first().waitFor();
    const order = await call(origin, "GET", `/_mock/orders/${day.order}`);
    assert.deepEqual([order.account, order.status, order.type], [day.key, "inProgress", "antiAi"]);
  },

  "the top bar advances the clock to what is due next": async (day) => {
    const { page, origin } = day;
    await toNext(page, "processing");
    await region(page, "Order").getByText("complete").first().waitFor();
    assert.equal((await call(origin, "GET", `/_mock/orders/${day.order}`)).status, "complete");
    await deliveries(day, 1);
  },

  "the edge between before and after moves by the keyboard": async ({ page }) => {
    const slider = page.getByRole("slider", { name: "Edge between before and after" });
    await slider.focus();
    const after = page.getByRole("img", { name: /, after$/ });
    await eventually("both pictures", () => page.locator("main img[alt*=landscape]").evaluateAll((images) => images.length === 2 && images.every((image) => image.naturalWidth > 0)));
    const cut = () => after.evaluate((image) => image.style.clipPath);
    assert.match(await cut(), /50%/);
    await page.keyboard.press("ArrowRight");
    await eventually("a step", async () => /51%/.test(await cut()));
    await page.keyboard.press("Home");
    await eventually("the left end", async () => /\b0(px|%)?\)$/.test(await cut()));
    await button(page, "Difference × 8").click();
    await page.getByRole("img", { name: /^Difference of/ }).waitFor();
  },

  "Webhooks shows the delivery, and openssl agrees with its signature": async (day) => {
    const { page } = day;
    const [sent] = await deliveries(day, 1);
    await page.getByRole("navigation").getByRole("link", { name: "Webhooks" }).click();
    await page.getByRole("grid", { name: "Deliveries" }).getByRole("gridcell").first().click();
    assert.equal(await arrive(page, /#\/webhooks\/([^?]+)/), String(sent.id));
    await region(page, "Delivery").getByText("signature valid").first().waitFor();
    const signature = Object.entries(sent.requestHeaders).find(([name]) => /signature/i.test(name))[1];
    const [command] = (await snippets(page)).filter((text) => text.includes("openssl"));
    assert.ok((await runSnippet(command)).includes(signature.replace(/^.*=/, "")));
    await region(page, "Delivery").getByRole("link", { name: /inbox \S/ }).click();
    await arrive(page, /#\/inbox\/([^?]+)/);
    await region(page, "Inbox").getByText("signature valid").first().waitFor();
  },

  "an inbox answers the statuses that the page sets, and the webhook is retried": async (day) => {
    const { page, origin, key } = day;
    await button(page, "Change its answers").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Statuses").fill("500, 204");
    await button(dialog, "Empty it and save").click();
    await dialog.waitFor({ state: "detached" });
    const [inbox] = (await call(origin, "GET", `/_mock/inbox?account=${key}`)).inboxes;
    assert.deepEqual([inbox.statuses, inbox.messages], [[500, 204], 0]);
    await show(page, "orders");
    await page.getByTitle("Make a sample order").click();
    await button(page, "BIZ MORI: watermark").click();
    await arrive(page, /#\/orders\/([^?]+)/);
    await selectAccount(day);
    await toNext(page, "processing");
    const [, failed] = await deliveries(day, 2);
    assert.deepEqual([failed.status, failed.deliveryStatus], [500, "RETRYING"]);
    await toNext(page, "webhook");
    const [, , retried] = await deliveries(day, 3);
    assert.deepEqual([retried.id, retried.attempt, retried.status, retried.deliveryStatus], [failed.id, 2, 204, "SENT"]);
    await show(page, `webhooks/${failed.id}`);
    await region(page, "Delivery").getByText("Delivered", { exact: true }).waitFor();
  },

  "a rule made from a request is applied to the next call": async (day) => {
    const { page, origin, key } = day;
    await show(page, "traffic");
    await page.getByRole("row").filter({ hasText: "createAntiAi" }).first().click();
    await arrive(page, /#\/traffic\/[^/]+\/(\d+)/);
    await page.getByRole("link", { name: "Make a rule" }).click();
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("made from a request");
    await button(page, "Add the rule").click();
    const id = Number(await arrive(page, /#\/rules\/(\d+)/));
    const [rule] = (await call(origin, "GET", "/_mock/rules")).rules;
    assert.deepEqual([rule.id, rule.name, rule.account, rule.when.operation], [id, "made from a request", key, "bizmori.createAntiAi"]);
    const body = JSON.stringify({ files: [{ fileName: "next.png" }] });
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const response = await fetch(`${origin}/api/v2/orders/anti-ai`, { method: "POST", headers, body });
    assert.equal(response.status, rule.then.respond.status);
    await region(page, "Rule").getByText("applied").waitFor();
    await region(page, "Rule").getByRole("link", { name: /^request \d+/ }).click();
    await arrive(page, /#\/traffic\/[^/]+\/(\d+)/);
    await region(page, "Request").getByRole("link", { name: `rule ${id}` }).first().waitFor();
    assert.equal((await call(origin, "GET", "/_mock/rules")).rules[0].hits, 1);
  },

  "a snapshot brings back what was expired": async (day) => {
    const { page, origin } = day;
    await show(page, "state");
    await page.getByLabel("Name of a new snapshot").fill("evening");
    await button(page, /^Take a snapshot/).click();
    await page.getByRole("cell", { name: "evening" }).waitFor();
    assert.deepEqual((await call(origin, "GET", "/_mock/snapshots")).snapshots.map(({ name }) => name), ["evening"]);
    const status = async () => (await call(origin, "GET", `/_mock/orders/${day.order}`)).status;
    await show(page, `orders/${day.order}`);
    await button(page, /^Expire/).click();
    await button(page.getByRole("dialog"), /^Expire/).click();
    await region(page, "Order").getByText("expired").first().waitFor();
    assert.equal(await status(), "expired");
    await show(page, "state");
    await button(page, "Restore").click();
    await button(page.getByRole("dialog"), "Restore").click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await status(), "complete");
    await show(page, `orders/${day.order}`);
    await region(page, "Order").getByText("complete").first().waitFor();
  },
};

/** Selects the account of the day, which a link to an entry leaves. */
async function selectAccount({ page, key }) {
  await page.getByTitle("Switch the account").click();
  await page.getByRole("dialog").getByRole("button", { name: key }).click();
  await page.getByTitle("Clock of the account").waitFor();
}

/** Advances to the next job, of this kind, by the menu of the clock in the top bar. */
async function toNext(page, kind) {
  const bar = page.getByRole("banner");
  const menu = page.getByTitle("Clock of the account");
  await menu.click();
  await button(bar, new RegExp(`^→ next: ${kind}`)).click();
  await settle(page);
  await page.keyboard.press("Escape");
}

/** Waits for a number of delivery attempts, and returns them. */
async function deliveries({ origin, key }, count) {
  return eventually(`${count} attempts`, async () => {
    const found = (await call(origin, "GET", `/_mock/deliveries?account=${key}`)).deliveries;
    return found.length === count && found;
  });
}

/** Tests the day, act by act. A failed act ends it, because the acts build on each other. */
export async function testDay({ test, withDashboard, origin }) {
  await call(origin, "POST", "/_mock/reset");
  await withDashboard({ route: "traffic" }, async (page) => {
    page.setDefaultTimeout(20_000);
    const day = { page, origin };
    for (const [name, act] of Object.entries(ACTS)) if (!(await test(`a day: ${name}`, () => act(day)))) return;
  });
}
