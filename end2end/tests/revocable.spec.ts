// The form that changes the password lists API keys, and revokes those that are ticked.
import type { APIRequestContext } from "@playwright/test";
import { choose, create, newKey, shownKey } from "../fixtures/keys.ts";
import { expect, expectFitAndAccessible, password, ready, signUp, test } from "../fixtures/test.ts";

const changed = "another lamp over eight stairs";

async function status(request: APIRequestContext, key: string): Promise<number> {
  const answer = await request.get("/v1/me", { headers: { authorization: `Bearer ${key}` } });
  return answer.status();
}

test("a changed password revokes the keys that stay ticked, and keeps the others", async ({ page, request }) => {
  await signUp(page);
  const keys: string[] = [];
  for (const label of ["backup script", "never heard of it"]) {
    await page.goto("/account/keys");
    await choose(page, label, ["See whose account it is"]);
    await create(page);
    keys.push(await shownKey(page, label));
    await newKey(page, label).getByRole("button", { name: "I have it" }).click();
    await expect(newKey(page, label)).toHaveCount(0);
  }
  await page.goto("/account/security");
  await ready(page);
  const known = page.getByLabel("API key backup script");
  const foreign = page.getByLabel("API key never heard of it");
  await expect(known).toBeChecked();
  await expect(foreign).toBeChecked();
  await expectFitAndAccessible(page, "password-and-keys");

  // What was unticked stays so when the form has an error.
  await known.uncheck();
  await page.getByLabel("Your password now").fill("not this one at all");
  await page.getByLabel("New password").fill(changed);
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText("This is not your password. Try again.")).toBeVisible();
  await expect(known).not.toBeChecked();
  await expect(foreign).toBeChecked();

  await page.getByLabel("Your password now").fill(password);
  await page.getByLabel("New password").fill(changed);
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByRole("status")).toHaveText("Your password was changed. 1 API key was revoked.");
  expect(await Promise.all(keys.map((key) => status(request, key)))).toEqual([200, 401]);
  await expectFitAndAccessible(page, "password-changed-keys-revoked");

  // A key that was kept is not ticked at the next change.
  await page.goto("/account/security");
  await expect(known).not.toBeChecked();
  await expect(foreign).toHaveCount(0);
  await page.goto("/account/activity");
  await expect(page.getByText("An API key was revoked")).toBeVisible();
  await expect(page.getByText("If something here was not you, do this in order:")).toBeVisible();
  await expectFitAndAccessible(page, "activity-what-to-do");
});
