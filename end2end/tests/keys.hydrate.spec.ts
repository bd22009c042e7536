// What scripts find of an API key that was just made.
import { choose, create, shownKey } from "../fixtures/keys.ts";
import { expect, goTo, signUp, test } from "../fixtures/test.ts";

test("a key is nowhere but on the page that shows it", async ({ page }) => {
  await signUp(page);
  await page.goto("/account/keys");
  await expect(page.getByText("There is none yet.")).toBeVisible();
  await choose(page, "once", ["See whose account it is"]);
  await create(page);
  const key = await shownKey(page);
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]));
  expect(kept).not.toContain(key);
  await goTo(page, "Activity");
  await expect(page.getByText("An API key was created")).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("article", { name: "once" })).toBeVisible();
  expect(await page.content()).not.toContain(key);
});
