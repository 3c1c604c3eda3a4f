// The live connection of the dashboard: many requests, hidden tabs, and a server that stops and starts again.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { call, eventually, liveState, openDashboard, settle, show, startServer } from "./dashboard_page.mjs";

const RATE = 1000;
const SECONDS = 10;
/** The journal keeps 1,000 requests of each account. */
const ACCOUNTS = 20;
/** Longest task of the page, in milliseconds, on a machine that runs server, load and browser at once. */
const TASK_MS_MAX = 500;

const request = (origin, key, id) => fetch(`${origin}/api/v2/orders/${id}`, { headers: { authorization: `Bearer ${key}` } });

/** Notes long tasks of the page from now on. */
function watchTasks() {
  window.longTasks = [];
  new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map(({ duration }) => Math.round(duration)))).observe({ type: "longtask" });
}

/** Clicks into the list, where rows move away under the pointer, until a request is open. */
async function openRequest(page) {
  const list = await page.getByRole("grid", { name: "Requests" }).boundingBox();
  const detail = page.getByRole("region", { name: "Request", exact: true });
  await eventually("a request that opens by a click", async () => {
    if (!/#\/traffic\/./.test(page.url())) await page.mouse.click(list.x + list.width / 4, list.y + list.height / 2, { delay: 80 });
    return detail.getByRole("heading", { name: "bizmori." }).isVisible();
  });
}

/** Numbers of requests that the toolbar of Traffic says. */
async function countsOf(page) {
  const text = await page.getByText(/^[\d,]+ requests?\b/).innerText();
  const number = (word) => Number((new RegExp(`([\\d,]+) ${word}`).exec(text)?.[1] ?? "0").replaceAll(",", ""));
  return { shown: number("requests?"), evicted: number("evicted"), skipped: number("skipped") };
}

/** The page agrees with the journal: it has the newest request, and it says how many it did not show. */
async function assertAgrees(page, origin, sent) {
  const { journal } = await call(origin, "GET", "/_mock/info");
  assert.equal(journal.requests + journal.evicted, sent, "requests in the journal");
  await show(page, "traffic");
  await settle(page);
  const counts = await countsOf(page);
  // The page keeps the newest 5,000 rows, and at times up to a fifth more.
  assert.ok(counts.skipped > 0 ? counts.shown + counts.skipped <= sent : counts.shown >= 5000, JSON.stringify(counts));
  assert.ok(counts.shown <= 6000, JSON.stringify(counts));
  assert.equal(counts.evicted, journal.evicted);
  const { requests } = await call(origin, "GET", `/_mock/requests?rows=true&limit=1000`);
  const newest = requests.reduce((last, row) => (row.receivedAt >= last.receivedAt ? row : last));
  await page.getByRole("row").filter({ hasText: newest.path }).first().waitFor();
  await show(page, "state");
  const shown = await page.getByText(new RegExp(`^${journal.requests.toLocaleString("en")} requests,`)).count();
  assert.ok(shown > 0, "State shows another number of requests");
}

async function testLoad({ test, browser, program }) {
  await test(`${RATE} requests a second for ${SECONDS} s: the page stays responsive and agrees with the journal`, async () => {
    const { origin, stop } = await startServer(program, "--port", "0");
    const { page, problems, close } = await openDashboard(browser, origin, { route: "traffic" });
    page.setDefaultTimeout(20_000);
    await page.evaluate(watchTasks);
    const load = promisify(execFile)(process.execPath, [fileURLToPath(new URL("load.mjs", import.meta.url)), origin, RATE, SECONDS, ACCOUNTS].map(String));
    await eventually("the first rows", async () => (await countsOf(page)).shown > 500);
    await openRequest(page);
    await page.getByRole("link", { name: "Traffic" }).first().click();
    await openRequest(page);
    const { answered, rate } = JSON.parse((await load).stdout);
    const tasks = await page.evaluate(() => window.longTasks);
    const longest = Math.max(0, ...tasks);
    await assertAgrees(page, origin, answered);
    assert.deepEqual(problems, []);
    assert.ok(longest < TASK_MS_MAX, `a task of ${longest} ms`);
    await close();
    await stop();
    return `${rate}/s; ${tasks.length} long tasks, ${tasks.reduce((sum, ms) => sum + ms, 0)} ms together, the longest ${longest} ms`;
  });
}

async function testRestart({ test, browser, program }) {
  await test("a restart of the server: the page says so, and goes on without a reload", async () => {
    const directory = await mkdtemp(join(tmpdir(), "dashboard-"));
    const first = await startServer(program, "--port", "0", "--data-dir", directory);
    const { origin, port } = first;
    const { page, close } = await openDashboard(browser, origin, { route: "traffic" });
    page.setDefaultTimeout(20_000);
    await page.evaluate(() => { window.isSamePage = true; });
    await request(origin, "restart", "of-before");
    await page.getByText("of-before").first().waitFor();
    await first.stop();
    await liveState(page, /^server gone, retrying$/);
    const second = await startServer(program, "--port", port, "--data-dir", directory);
    await liveState(page, /^live$/);
    await page.getByText("of-before").first().waitFor({ state: "detached" });
    await request(origin, "restart", "of-after");
    await page.getByText("of-after").first().waitFor();
    assert.ok(await page.evaluate(() => window.isSamePage), "the page was loaded again");
    await close();
    await second.stop();
    await rm(directory, { recursive: true });
  });
}

/** Hides or shows the page, as a change of the tab does. */
async function setHidden(page, isHidden) {
  await page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (value ? "hidden" : "visible") });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden);
}

async function testHiddenTab({ test, withDashboard, origin }) {
  await test("a hidden tab drops its stream, and resumes when it is shown", () => withDashboard({ route: "traffic" }, async (page) => {
    const streams = async () => (await call(origin, "GET", "/_mock/info")).streams;
    await request(origin, "hidden", "before-hiding");
    await page.getByText("before-hiding").first().waitFor();
    assert.equal(await streams(), 1);
    await setHidden(page, true);
    await eventually("the end of the stream", async () => (await streams()) === 0);
    for (const id of ["while-hidden-1", "while-hidden-2"]) await request(origin, "hidden", id);
    assert.equal(await page.getByText("while-hidden").count(), 0);
    await setHidden(page, false);
    await page.getByText("while-hidden-2").first().waitFor();
    await page.getByText("while-hidden-1").first().waitFor();
    assert.equal(await streams(), 1);
  }));
}

export async function testLive(tools) {
  await testHiddenTab(tools);
  await testRestart(tools);
  await testLoad(tools);
}
