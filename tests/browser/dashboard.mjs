// Tests the dashboard of the server at 127.0.0.1:PORT in a real browser, and prints a line for each result:
//
//   node dashboard.mjs PORT PICTURE PROGRAM [SCREENSHOTS]
//
// PICTURE is a JPEG for an order. PROGRAM is the server's binary, for tests that stop a server. With the directory
// SCREENSHOTS, it gets a picture of each route in each width and colour scheme. The server loses its state. Exit code 1
// if a test failed.

import assert from "node:assert/strict";

import { chromium } from "playwright-core";

import { testDay } from "./dashboard_day.mjs";
import { testHostileTexts } from "./dashboard_hostile.mjs";
import { testKeyboardAlone } from "./dashboard_keys.mjs";
import { testLive } from "./dashboard_live.mjs";
import { createData, call, openDashboard, routes, violations } from "./dashboard_page.mjs";

const [port, picture, program, screenshots] = process.argv.slice(2);
const origin = `http://127.0.0.1:${port}`;
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--no-proxy-server", "--disable-background-networking"],
});

let failures = 0;

/** Runs one test, and prints the result with what the test returns. Returns whether it passed. */
async function test(name, run) {
  try {
    const note = await run();
    console.log(`ok      ${name}${note ? ` (${note})` : ''}`);
    return true;
  } catch (error) {
    failures += 1;
    console.log(`FAILED  ${name}: ${error.message}`);
    return false;
  }
}

/** Runs `run` with the dashboard open, and asserts that nothing happened that must not. */
async function withDashboard(options, run) {
  const { page, problems, close } = await openDashboard(browser, origin, options);
  try {
    await run(page);
    assert.deepEqual(problems, []);
  } finally {
    await close();
  }
}

async function testRoutes(state, data) {
  for (const colorScheme of ["light", "dark"]) {
    for (const route of routes(data)) {
      await test(`${route}, ${state}, ${colorScheme}: no error, no violation of WCAG 2.2 AA`, () =>
        withDashboard({ route, colorScheme }, async (page) => assert.deepEqual(await violations(page), [])));
    }
  }
}

async function testWidth(data) {
  for (const route of routes(data)) {
    await test(`${route}: fits into 360 px`, () => withDashboard({ route, width: 360 }, async (page) => {
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= 360, `${width} px wide`);
    }));
  }
}

async function testKeyboard() {
  await test("keyboard: ? lists the keys, Escape closes the list, g and a letter change the page", () =>
    withDashboard({ route: "traffic" }, async (page) => {
      await page.keyboard.press("?");
      await page.locator("dialog[open]").waitFor();
      assert.deepEqual(await violations(page), []);
      await page.keyboard.press("Escape");
      await page.locator("dialog[open]").waitFor({ state: "detached" });
      for (const [key, name] of [["o", "orders"], ["r", "rules"], ["t", "traffic"]]) {
        await page.keyboard.press("g");
        await page.keyboard.press(key);
        await page.waitForURL((url) => url.hash.startsWith(`#/${name}`));
      }
      await page.keyboard.press("/");
      assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("type")), "search");
    }));
}

async function testAppearance() {
  await test("a request appears without a reload", () => withDashboard({ route: "traffic" }, async (page) => {
    await fetch(`${origin}/api/v2/orders/live-appears`, { headers: { authorization: "Bearer another" } });
    await page.getByText("live-appears").first().waitFor({ timeout: 5000 });
  }));
}

/** Takes a picture of each route in each width and colour scheme, if a directory for them was named. */
async function takeScreenshots(state, data) {
  if (screenshots === undefined) return;
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [360, 1100, 1600]) {
      for (const route of routes(data)) {
        const { page, close } = await openDashboard(browser, origin, { route, colorScheme, width });
        const name = route.split("/").slice(0, 2).map((part, index) => (index === 0 ? part : "entry")).join("-");
        await page.screenshot({ path: `${screenshots}/${state}-${width}-${colorScheme}-${name}.png` });
        await close();
      }
    }
  }
}

const tools = { test, withDashboard, browser, origin, picture, program };
await testDay(tools);
await call(origin, "POST", "/_mock/reset");
await testRoutes("empty", null);
await takeScreenshots("empty", null);
const data = await createData(origin, picture);
await testRoutes("full", data);
await takeScreenshots("full", data);
await testWidth(data);
await testKeyboard();
await testAppearance();
await testHostileTexts(tools);
await testKeyboardAlone(tools);
await testLive(tools);
await browser.close();
process.exit(failures === 0 ? 0 : 1);
