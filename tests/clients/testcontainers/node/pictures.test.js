// Tests of pictures.js with both vendors. All tests run in parallel, each with its own key.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { Account } from "./account.js";
import { Pictures } from "./pictures.js";
import { startStuntdouble } from "./stuntdouble.js";

const photo = await readFile(new URL("../../../../fixtures/photo.jpg", import.meta.url));

describe("pictures", { concurrency: true, timeout: 60_000 }, () => {
  let stuntdouble;
  before(async () => (stuntdouble = await startStuntdouble()));
  after(() => stuntdouble?.stop());

  const accountOf = (test) => new Account(stuntdouble.origin, test);
  const picturesOf = ({ origin, key }) => new Pictures({ bizmori: origin, undetectable: origin, key });
  const busy = (account, times) =>
    account.mock("POST", "rules", {
      times,
      when: { operation: "bizmori.createAntiAi" },
      then: { respond: { status: 503 } },
    });

  it("protect returns another JPEG", async (test) => {
    const account = accountOf(test);
    const protectedPicture = await picturesOf(account).protect("photo.jpg", photo);
    assert.equal(protectedPicture.subarray(0, 3).toString("hex"), "ffd8ff");
    assert(!protectedPicture.equals(photo));
    assert.deepEqual(await account.statuses("storage.*"), [200, 200]);
  });

  for (const [name, verdict, percent] of [
    ["photo_ai.jpg", "AI Generated", 98],
    ["photo.jpg", "Real", 4],
  ]) {
    it(`judge returns the verdict of ${name}`, async (test) => {
      const account = accountOf(test);
      // The clock jumps to whatever is due next, so the test does not wait.
      await account.mock("PUT", "clock", { mode: "jump" });
      assert.deepEqual(await picturesOf(account).judge(name, photo), { verdict, percent });
      assert.deepEqual(await account.statuses("undetectable.detect"), [200]);
    });
  }

  it("upload after expiry gets a new URL", async (test) => {
    const [late, punctual] = [accountOf(test), accountOf(test)];
    const orders = await Promise.all([late, punctual].map((it) => picturesOf(it).order("photo.jpg")));
    // An hour passes for one key only.
    await late.mock("POST", "clock/advance", { by: "PT61M" });
    await picturesOf(late).upload(orders[0], photo);
    await picturesOf(punctual).upload(orders[1], photo);
    assert.deepEqual(await late.statuses("storage.put"), [403, 200]);
    assert.deepEqual(await late.statuses("bizmori.refreshUploadUrls"), [200]);
    assert.deepEqual(await punctual.statuses("storage.put"), [200]);
    assert.deepEqual(await punctual.statuses("bizmori.refreshUploadUrls"), []);
  });

  it("order retries a vendor that is busy twice", async (test) => {
    const account = accountOf(test);
    await busy(account, 2);
    await picturesOf(account).order("photo.jpg");
    assert.deepEqual(await account.statuses("bizmori.createAntiAi"), [503, 503, 200]);
  });

  it("protect gives up after three tries", async (test) => {
    const account = accountOf(test);
    await busy(account);
    await assert.rejects(picturesOf(account).protect("photo.jpg", photo), /503/);
    assert.deepEqual(await account.statuses("*"), [503, 503, 503]);
  });
});
