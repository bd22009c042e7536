// The worked example of docs/build-on-it.md.
import { elsewhere, expect, expectAccessible, newAddress, signUp, test } from "../fixtures/test.ts";

const hostile = `</textarea><script>alert(1)</script>"><img src=x onerror=alert(1)>{{1+1}}\u202egnp.exe`;

test("a note stands first, to the letter, and does nothing", async ({ page }) => {
  await signUp(page);
  await page.goto("/notes");
  await expect(page.getByText("You have not written any yet.")).toBeVisible();
  const field = page.getByLabel("A new note");
  for (const text of ["the first", hostile]) {
    await field.fill(text);
    await page.getByRole("button", { name: "Keep it" }).click();
    await expect(page.locator(".note").first()).toHaveText(text);
    await expect(field).toHaveValue("");
  }
  await expect(page.locator(".note")).toHaveText([hostile, "the first"]);
  await page.reload();
  await expect(page.locator(".note")).toHaveText([hostile, "the first"]);
  expect(await page.locator("main img, main script").count()).toBe(0);
  await expectAccessible(page);
});

test("what is too long says so and stays as it was typed", async ({ page }) => {
  await signUp(page);
  await page.goto("/notes");
  await expect(page.getByText("You have not written any yet.")).toBeVisible();
  const text = hostile + "é".repeat(450);
  const field = page.getByLabel("A new note");
  await field.fill(text);
  await page.getByRole("button", { name: "Keep it" }).click();
  await expect(field).toHaveAccessibleDescription("Use at most 500 characters.");
  await expect(field).toHaveValue(text);
  await expectAccessible(page);
});

test("somebody else's are not there, and signing in comes first", async ({ page }) => {
  const email = await signUp(page);
  await page.goto("/notes");
  await page.getByLabel("A new note").fill("mine");
  await page.getByRole("button", { name: "Keep it" }).click();
  await expect(page.locator(".note")).toHaveText(["mine"]);
  const other = await elsewhere(page, email);
  await other.goto("/notes");
  await expect(other.locator(".note")).toHaveText(["mine"]);
  await other.context().close();
  await page.context().clearCookies();
  await page.goto("/notes");
  await expect(page).toHaveURL(/\/sign-in\?next=\/notes$/);
  await signUp(page, newAddress());
  await page.goto("/notes");
  await expect(page.getByText("You have not written any yet.")).toBeVisible();
});
