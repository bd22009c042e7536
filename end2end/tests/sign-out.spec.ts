// What is left in the browser after signing out: with JavaScript and without.
import { expect, signOut, signUp, test } from "../fixtures/test.ts";

test("signing out forgets pages without a walk through the whole cache", async ({ page }) => {
  await signUp(page);
  const answered = page.waitForResponse("/api/sign_out");
  await signOut(page);
  const forgets = await (await answered).headerValue("clear-site-data");
  // Chromium has words that take no time.
  expect(forgets?.split(", ").sort()).toEqual(['"prefetchCache"', '"prerenderCache"', '"storage"']);
});

test("Back, after signing out, shows nothing private", async ({ page }) => {
  const email = await signUp(page);
  for (const path of ["/account/activity", "/account"]) await page.goto(path);
  await expect(page.getByText(email)).toBeVisible();
  await signOut(page);
  for (let steps = 0; steps < 2; steps += 1) {
    await page.goBack();
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByText(email)).toHaveCount(0);
    await expect(page.getByText("The account was made")).toHaveCount(0);
  }
});
