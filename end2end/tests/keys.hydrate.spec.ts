// What scripts find of a new API key, and what one does for its owner.
import type { Page } from "@playwright/test";
import { choose, create, newKey, shownKey } from "../fixtures/keys.ts";
import { expect, expectAccessible, goTo, signUp, test } from "../fixtures/test.ts";

async function makeKey(page: Page): Promise<string> {
  await signUp(page);
  await page.goto("/account/keys");
  await expect(page.getByText("There is none yet.")).toBeVisible();
  await choose(page, "once", ["See whose account it is"]);
  await create(page);
  return await shownKey(page);
}

test("a new key is nowhere but on the page that shows it", async ({ page }) => {
  const key = await makeKey(page);
  await expect(page.getByRole("heading", { name: "Your new key" })).toBeFocused();
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]));
  expect(kept).not.toContain(key);
  await goTo(page, "Activity");
  await expect(page.getByText("An API key was created")).toBeVisible();
  expect(await page.content()).not.toContain(key);
  await page.goBack();
  expect(await shownKey(page)).toBe(key);
  await newKey(page).getByRole("button", { name: "I have it" }).click();
  await expect(page.getByRole("status")).toHaveText(/The key is not shown any more/);
  await expect(page.locator("#main")).toBeFocused();
  await expect(newKey(page)).toHaveCount(0);
  expect(await page.content()).not.toContain(key);
});

test("a new key is copied by a button that says so each time", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const key = await makeKey(page);
  const live = newKey(page).locator("[aria-live]");
  for (const _ of [1, 2]) {
    const said = live.evaluate(
      (it) => new Promise((done) => new MutationObserver(() => it.textContent && done(it.textContent)).observe(it, { childList: true, characterData: true, subtree: true })),
    );
    await page.evaluate(() => navigator.clipboard.writeText("something else"));
    await newKey(page).getByRole("button", { name: "Copy" }).click();
    expect(await said).toBe("Copied");
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key);
  }
  await expectAccessible(page);
});

test("a new key is selected where the page has no clipboard", async ({ page }) => {
  // As on a page over plain http that is not on this machine.
  await page.addInitScript(() => Object.defineProperty(Navigator.prototype, "clipboard", { get: () => undefined }));
  const key = await makeKey(page);
  await newKey(page).getByRole("button", { name: "Copy" }).click();
  await expect(newKey(page)).toContainText("Selected. Copy it with Ctrl+C or ⌘C.");
  expect(await page.evaluate(() => getSelection()?.toString().trim())).toBe(key);
});
