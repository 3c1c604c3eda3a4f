// The dashboard by the keyboard alone. Whatever has the focus is visible, and the focus is never lost.

import assert from "node:assert/strict";

import { KEY, call, eventually, settle } from "./dashboard_page.mjs";

/** Describes the element that has the focus: its role or tag, its name, and whether a person sees where it is. */
function focused() {
  const element = document.activeElement;
  const name = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.title ?? "";
  const text = `${name} ${element.textContent}`.replace(/\s+/g, " ").trim().slice(0, 200);
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const isInView = box.width > 0 && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  const isMarked = (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none";
  return { tag: element.tagName.toLowerCase(), text, isVisible: isInView && isMarked, isLost: element === document.body };
}

/** Presses Tab, or Shift+Tab, until an element with this text has the focus. */
async function tabTo(page, pattern, key = "Tab") {
  const passed = [];
  for (let step = 0; step < 120; step++) {
    await page.keyboard.press(key);
    const now = await page.evaluate(focused);
    // The body has the focus only between the last element and the first.
    if (now.isLost) continue;
    passed.push(now.text.slice(0, 30));
    assert.ok(now.isVisible, `the focus on ${now.tag} "${now.text}" is not visible`);
    if (pattern.test(now.text)) return;
  }
  throw new Error(`${key} does not lead to ${pattern}: ${passed.join(" | ")}`);
}

/** Asserts that an element has the focus. The page puts it there after it has drawn. */
const assertFocusKept = (page, after) => eventually(`focus after ${after}`, async () => !(await page.evaluate(focused)).isLost);

/** Opens a dialog that has the focus in it, closes it, and asserts where the focus is then. */
async function closeDialog(page, close, opener) {
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  assert.ok(await page.evaluate(() => document.activeElement.closest("dialog") !== null), "the dialog has no focus");
  await close();
  await dialog.waitFor({ state: "detached" });
  await eventually(`focus on ${opener}`, async () => opener.test((await page.evaluate(focused)).text));
}

/** Opens a request, and makes a rule from it. Returns the rule's id. */
async function makeRule(page) {
  await tabTo(page, /^Skip to the content/);
  await page.keyboard.press("Enter");
  assert.equal((await page.evaluate(focused)).tag, "main");
  await page.keyboard.press("j");
  await page.waitForURL(/#\/traffic\/[^/]+\/\d+/);
  await page.getByRole("link", { name: "Make a rule" }).waitFor();
  await page.keyboard.press("Enter");
  await tabTo(page, /^Make a rule/);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "New rule" }).waitFor();
  await assertFocusKept(page, "the change to the editor");
  await tabTo(page, /^Name\b/);
  await page.keyboard.type("by the keyboard");
  await page.keyboard.press("Enter");
  await page.waitForURL(/#\/rules\/\d+/);
  await settle(page);
  await assertFocusKept(page, "saving the rule");
  return Number(/rules\/(\d+)/.exec(page.url())[1]);
}

async function advanceClock(page, origin) {
  const now = async () => Date.parse((await call(origin, "GET", "/_mock/clock")).now);
  const before = await now();
  await tabTo(page, /^(Default clock|Clock)/, "Shift+Tab");
  await page.keyboard.press("Enter");
  await tabTo(page, /^\+1 d/);
  await page.keyboard.press("Enter");
  await eventually("an advance by a day", async () => (await now()) - before >= 86_400_000);
  await eventually("the end of the action", () => page.getByRole("button", { name: "+1 d" }).isEnabled());
  await assertFocusKept(page, "an action in a menu");
  await page.keyboard.press("Escape");
  assert.equal((await page.evaluate(focused)).tag, "summary");
}

/** Opens and closes each kind of dialog: by Escape, by a button in it, and by what it does. */
async function closeDialogs(page, origin, rule) {
  await page.keyboard.press("?");
  await closeDialog(page, () => page.keyboard.press("Escape"), /clock/i);
  await tabTo(page, /^Switch the account/, "Shift+Tab");
  await page.keyboard.press("Enter");
  await closeDialog(page, () => page.keyboard.press("Escape"), /^Switch the account/);
  await tabTo(page, /^Delete$/);
  await page.keyboard.press("Enter");
  await closeDialog(page, async () => {
    await tabTo(page, /^Cancel/);
    await page.keyboard.press("Enter");
  }, /^Delete$/);
  await page.keyboard.press("Enter");
  await tabTo(page, /^Delete the rule/);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.hash.startsWith("#/rules") && !url.hash.includes(rule));
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.deepEqual((await call(origin, "GET", "/_mock/rules")).rules, []);
  await assertFocusKept(page, "a dialog whose opener went");
}

export async function testKeyboardAlone({ test, withDashboard, origin }) {
  await test("keyboard alone: a request, a rule from it, the clock, dialogs; the focus stays and is visible", async () => {
    await call(origin, "POST", "/_mock/reset");
    await fetch(`${origin}/api/v2/orders/1`, { headers: { authorization: `Bearer ${KEY}` } });
    await withDashboard({ route: "traffic" }, async (page) => {
      page.setDefaultTimeout(20_000);
      const rule = await makeRule(page);
      assert.deepEqual((await call(origin, "GET", "/_mock/rules")).rules.map(({ id, name }) => [id, name]), [[rule, "by the keyboard"]]);
      await advanceClock(page, origin);
      await closeDialogs(page, origin, rule);
    });
  });
}
