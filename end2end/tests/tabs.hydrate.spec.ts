// Several tabs of one browser: what one of them does, the others know.
import { elsewhere, expect, fill, goTo, pageLoads, password, signOut, signUp, test } from "../fixtures/test.ts";

test("a tab that is signed out by another shows nothing private any more", async ({ page, context }) => {
  const email = await signUp(page);
  const other = await context.newPage();
  await other.goto("/account", { waitUntil: "networkidle" });
  await expect(other.getByText(email)).toBeVisible();
  await signOut(page);
  // Without a click.
  await expect(other.getByRole("heading", { level: 1 })).toHaveText("Sign in");
  await expect(other.getByText(email)).toHaveCount(0);
});

test("a tab follows when another person signs in", async ({ page, context }) => {
  const first = await signUp(page);
  await signOut(page);
  const second = await signUp(page);
  const other = await context.newPage();
  await other.goto("/account", { waitUntil: "networkidle" });
  await expect(other.getByText(second)).toBeVisible();
  await signOut(page);
  await page.goto("/sign-in");
  await fill(page, first, password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText(first)).toBeVisible();
  await expect(other.getByText(second)).toHaveCount(0);
});

test("a tab that was signed out elsewhere says so and keeps what was typed", async ({ page }) => {
  const email = await signUp(page);
  const other = await elsewhere(page, email);
  await page.goto("/account/security", { waitUntil: "networkidle" });
  await page.getByLabel("Your password now").fill(password);
  await page.getByLabel("New password").fill("another lamp over eight stairs");
  await goTo(other, "Devices");
  await other.getByRole("button", { name: "Sign out all other devices" }).click();
  await expect(other.getByRole("status")).toHaveText("1 other device was signed out.");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByRole("alert")).toContainText("You were signed out. Sign in to go on.");
  await expect(page.getByLabel("New password")).toHaveValue("another lamp over eight stairs");
  await other.context().close();
});

test("Back, after signing out, brings nothing private back from memory", async ({ page }) => {
  const email = await signUp(page);
  await page.goto("/account/activity", { waitUntil: "networkidle" });
  await page.goto("/account", { waitUntil: "networkidle" });
  await signOut(page);
  for (let steps = 0; steps < 2; steps += 1) {
    await page.goBack();
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByText(email)).toHaveCount(0);
    await expect(page.getByText("The account was made")).toHaveCount(0);
  }
});

test("nothing private is there without a connection, after signing out", async ({ page, context, quiet }) => {
  const email = await signUp(page);
  await page.goto("/account", { waitUntil: "networkidle" });
  await signOut(page);
  await context.setOffline(true);
  // While the browser is on its way nobody can say what it shows.
  const expectNothing = () => expect.poll(() => page.content().catch(() => email)).not.toContain(email);
  for (const path of ["/account", "/account/sessions"]) {
    await page.goto(path).catch(() => undefined);
    await expectNothing();
  }
  await page.goBack().catch(() => undefined);
  await expectNothing();
  await context.setOffline(false);
  // What the browser says of its own about a lost connection is not ours.
  quiet.length = 0;
});

test("pages of the account are made in the browser, too", async ({ page }) => {
  await signUp(page);
  await page.goto("/account", { waitUntil: "networkidle" });
  const loads = pageLoads(page);
  await goTo(page, "Devices");
  await expect(page.getByRole("article")).toHaveCount(1);
  await goTo(page, "Security");
  await expect(page.getByLabel("Your password now")).toBeVisible();
  await goTo(page, "Activity");
  await expect(page.getByText("The account was made")).toBeVisible();
  expect(loads).toEqual([]);
});
