// Several tabs of one browser: what one of them does, the others know.
import type { Page } from "@playwright/test";
import { callsOf, dialog, endSession, signInAgain } from "../fixtures/ending.ts";
import { elsewhere, expect, expectFitAndAccessible, fill, goTo, newAddress, pageLoads, password, signOut, signUp, test } from "../fixtures/test.ts";

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

/** A tab with a note that is kept and one that is half written. */
async function halfWritten(page: Page): Promise<Page> {
  const other = await page.context().newPage();
  await other.goto("/notes", { waitUntil: "networkidle" });
  await other.getByLabel("A new note").fill("kept before");
  await other.getByRole("button", { name: "Keep it" }).click();
  await expect(other.locator(".note")).toHaveText(["kept before"]);
  await other.getByLabel("A new note").fill("half written");
  return other;
}

test("a tab in which something is typed is out of sight after a sign-out, and goes on with its text", async ({ page }) => {
  const email = await signUp(page);
  const other = await halfWritten(page);
  await signOut(page);
  const asks = dialog(other);
  await expect(asks.getByRole("heading", { name: "This browser is signed out" })).toBeVisible();
  // No note, no text of the form and no address is in sight, also after Escape.
  for (let presses = 0; presses < 3; presses += 1) await other.keyboard.press("Escape");
  await expect(asks).toBeVisible();
  await expect(other.getByText("kept before")).toBeHidden();
  await expect(other.getByLabel("A new note")).toBeHidden();
  expect(await other.locator("body").innerText()).not.toContain(email);
  expect(await asks.getByLabel("E-mail address").inputValue()).toBe("");
  await expectFitAndAccessible(other, "signed-out-in-another-tab");
  const signIns = callsOf(other, "sign_in");
  await fill(other, newAddress(), password);
  await asks.getByRole("button", { name: "Sign in" }).click();
  await expect(asks.getByRole("alert")).toContainText("This page is not of that account.");
  expect(signIns).toEqual([]);
  await fill(other, email.toUpperCase(), password);
  await asks.getByRole("button", { name: "Sign in" }).click();
  await expect(asks).toBeHidden();
  await expect(other.getByText("kept before")).toBeVisible();
  await expect(other.getByLabel("A new note")).toHaveValue("half written");
  await other.getByRole("button", { name: "Keep it" }).click();
  await expect(other.locator(".note")).toHaveText(["half written", "kept before"]);
});

test("text of before a sign-out can be discarded", async ({ page }) => {
  await signUp(page);
  const other = await halfWritten(page);
  await signOut(page);
  await dialog(other).getByRole("button", { name: "Discard it" }).click();
  await expect(other.getByRole("heading", { level: 1 })).toHaveText("Sign in");
});

test("a tab in which something is typed is out of sight while another account is signed in", async ({ page }) => {
  const email = await signUp(page);
  const other = await halfWritten(page);
  await signOut(page);
  await signUp(page);
  const asks = dialog(other);
  await expect(asks.getByRole("heading", { name: "This browser is now signed in to another account" })).toBeVisible();
  for (let presses = 0; presses < 3; presses += 1) await other.keyboard.press("Escape");
  await expect(asks).toBeVisible();
  await expect(other.getByText("kept before")).toBeHidden();
  // When the first account is back, its tab goes on.
  await signOut(page);
  await expect(asks.getByRole("heading", { name: "This browser is signed out" })).toBeVisible();
  await page.goto("/sign-in");
  await fill(page, email, password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(asks).toBeHidden();
  await other.getByRole("button", { name: "Keep it" }).click();
  await expect(other.locator(".note")).toHaveText(["half written", "kept before"]);
});

for (const path of ["/sign-in", "/sign-up", "/"]) {
  test(`opening ${path} in a second tab changes nothing in the first`, async ({ page, context }) => {
    await signUp(page);
    const first = await halfWritten(page);
    await page.goto("/account/security", { waitUntil: "networkidle" });
    const loads = [pageLoads(first), pageLoads(page)];
    const second = await context.newPage();
    await second.goto(path, { waitUntil: "networkidle" });
    await first.getByRole("button", { name: "Keep it" }).click();
    await expect(first.locator(".note")).toHaveText(["half written", "kept before"]);
    expect(loads).toEqual([[], []]);
  });
}

test("opening the sign-in page after the session has ended takes nothing that was typed", async ({ page, context }) => {
  const email = await signUp(page);
  const first = await halfWritten(page);
  await page.close();
  await endSession(first, email);
  const second = await context.newPage();
  await second.goto("/sign-in");
  await expect(dialog(first).getByRole("heading", { name: "This browser is signed out" })).toBeVisible();
  // Its owner signs in there, and goes on here without a password.
  await fill(second, email, password);
  await second.getByRole("button", { name: "Sign in" }).click();
  await expect(second.getByRole("heading", { level: 1 })).toHaveText("Your account");
  await expect(dialog(first)).toBeHidden();
  await first.getByRole("button", { name: "Keep it" }).click();
  await expect(first.locator(".note")).toHaveText(["half written", "kept before"]);
});

test("a page of before its browser's session, and any other text, cannot take a tab's text", async ({ page }) => {
  await signUp(page);
  const other = await halfWritten(page);
  await page.close();
  const checks = callsOf(other, "viewer");
  const hostile = ["<img src=x onerror=alert(1)>", 0, null, ["<b>x</b>", 1, 2], [], { length: 1 }];
  for (const [index, said] of hostile.entries()) {
    await other.evaluate((data) => new BroadcastChannel("cloakroom").postMessage(data), said);
    // The session is asked for, and it is there.
    await expect.poll(() => checks.length).toBe(index + 1);
    await expect(dialog(other)).toBeHidden();
  }
  await expect(other.getByLabel("A new note")).toHaveValue("half written");
});

test("a tab that was signed out elsewhere asks for the password and keeps the form", async ({ page }) => {
  const email = await signUp(page);
  const other = await elsewhere(page, email);
  await page.goto("/account/security", { waitUntil: "networkidle" });
  await page.getByLabel("Your password now").fill(password);
  await page.getByLabel("New password").fill("another lamp over eight stairs");
  await goTo(other, "Devices");
  await other.getByRole("button", { name: "Sign out all other devices" }).click();
  await expect(other.getByRole("status")).toHaveText("1 other device was signed out.");
  await page.getByRole("button", { name: "Change password" }).click();
  await signInAgain(page, email);
  await expect(page.getByText("Your password was changed.")).toBeVisible();
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
