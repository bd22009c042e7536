// A session ends while a form is half filled: the page asks for the password in place, and the form
// keeps its text.
import { callsOf, dialog, endSession, signInAgain } from "../fixtures/ending.ts";
import { choose, create, shownKey } from "../fixtures/keys.ts";
import { relyingParty } from "../fixtures/relying-party.ts";
import { forgetfulURL } from "../fixtures/server.ts";
import { elsewhere, expect, expectFitAndAccessible, goTo, newAddress, pageLoads, password, signUp, test } from "../fixtures/test.ts";

test("a note that is half written is kept when the session ends", async ({ page }) => {
  // Characters that are markup elsewhere.
  const email = await signUp(page, newAddress().replace("ada-", "o'hara&lt-"));
  await page.goto("/notes", { waitUntil: "networkidle" });
  await page.getByLabel("A new note").fill("milk, bread");
  await endSession(page, email);
  const loads = pageLoads(page);
  await page.getByRole("button", { name: "Keep it" }).click();
  await expect(dialog(page)).toBeVisible();
  await expectFitAndAccessible(page, "sign-in-again");
  await signInAgain(page, email);
  await expect(page.locator(".note")).toHaveText(["milk, bread"]);
  await expect(page.getByLabel("A new note")).toHaveValue("");
  await expect(page.getByRole("alert").filter({ visible: true })).toHaveCount(0);
  expect(loads).toEqual([]);
});

test("a key with its boxes is kept when the session ends", async ({ page }) => {
  const email = await signUp(page);
  await page.goto("/account/keys", { waitUntil: "networkidle" });
  await choose(page, "backup script", ["See whose account it is", "See what happened"]);
  await page.getByLabel("It expires after").selectOption("90 days");
  await endSession(page, email);
  await create(page);
  await signInAgain(page, email);
  await shownKey(page);
  const card = page.getByRole("article", { name: "backup script" });
  await expect(card).toContainText("See whose account it is, See what happened");
  // A key is revoked in the same way.
  await endSession(page, email);
  await card.getByRole("button", { name: "Revoke backup script" }).click();
  await signInAgain(page, email);
  await expect(card).toHaveCount(0);
});

test("a change of password is kept when the session ends", async ({ page }) => {
  const email = await signUp(page);
  await page.goto("/account/security", { waitUntil: "networkidle" });
  await page.getByLabel("Your password now").fill(password);
  await page.getByLabel("New password").fill("another lamp over eight stairs");
  await endSession(page, email);
  await page.getByRole("button", { name: "Change password" }).click();
  await signInAgain(page, email);
  await expect(page.getByText("Your password was changed.")).toBeVisible();
});

test("a list that is opened after the session has ended is shown when its owner signs in", async ({ page }) => {
  const email = await signUp(page);
  await page.goto("/account/security", { waitUntil: "networkidle" });
  await endSession(page, email);
  const loads = pageLoads(page);
  await goTo(page, "Activity");
  await signInAgain(page, email);
  await expect(page.getByText("The account was made")).toBeVisible();
  expect(loads).toEqual([]);
});

test("an app that waits for consent is answered when the session ends", async ({ page, quiet }) => {
  const wiki = await relyingParty();
  const email = await signUp(page);
  await page.goto(`${wiki.url}/login`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sign in to The Wiki?");
  await page.waitForLoadState("networkidle");
  await endSession(page, email);
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  await signInAgain(page, email);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Hello ${email}`);
  await wiki.close();
  // The browser is meant to go there, and to no other place.
  const others = quiet.filter((noise) => !noise.startsWith(`elsewhere: ${wiki.url}/`));
  quiet.splice(0, quiet.length, ...others);
});

test.describe("where a sign-in is recent for five seconds", () => {
  test.use({ baseURL: forgetfulURL });

  test("a password that is being confirmed is kept when the session ends", async ({ page }) => {
    const email = await signUp(page);
    const other = await elsewhere(page, email);
    await page.goto("/account/sessions", { waitUntil: "networkidle" });
    const tried = () => page.evaluate(async () => (await fetch("/api/end_session", { method: "POST", body: new URLSearchParams({ id: "unknown" }) })).status);
    await expect.poll(tried, { timeout: 15_000 }).toBe(403);
    await page.getByRole("button", { name: "Sign out all other devices" }).click();
    await page.getByLabel("Your password", { exact: true }).fill(password);
    await endSession(page, email);
    await page.getByRole("button", { name: "Go on" }).click();
    await signInAgain(page, email);
    await expect(page.getByRole("heading", { name: "Is it you?" })).toHaveCount(0);
    await expect(page.getByRole("article")).toHaveCount(1);
    await other.context().close();
  });
});

test("a wrong password is told in the dialog, and Escape leaves the form as it was", async ({ page }) => {
  const email = await signUp(page);
  await page.goto("/notes", { waitUntil: "networkidle" });
  const field = page.getByLabel("A new note");
  await field.fill("milk, bread");
  await endSession(page, email);
  await page.getByRole("button", { name: "Keep it" }).click();
  const asks = dialog(page);
  await asks.getByRole("button", { name: "Sign in" }).click();
  await expect(asks.getByRole("alert")).toHaveText("Enter your password.");
  await asks.getByLabel("Password").fill("not this one at all");
  await page.keyboard.press("Enter");
  await expect(asks.getByRole("alert")).toHaveText("That password does not match this account. Check it and try again.");
  await expectFitAndAccessible(page, "sign-in-again-wrong");
  await page.keyboard.press("Escape");
  await expect(asks).toBeHidden();
  // Of the form, and of the list that was asked for anew: it asks for no password again by itself.
  const alerts = page.getByRole("alert").filter({ visible: true });
  await expect(alerts).toHaveText([/^You were signed out\. Sign in to go on\./, /^You were signed out\. Sign in to go on\./]);
  await expect(asks).toBeHidden();
  await expect(field).toHaveValue("milk, bread");
  // Nor does the link to the sign-in page take it.
  const loads = pageLoads(page);
  await page.getByRole("link", { name: "Sign in" }).first().click();
  await expect(asks).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(asks).toBeHidden();
  expect(loads).toEqual([]);
  // The same button asks once more.
  await page.getByRole("button", { name: "Keep it" }).click();
  await signInAgain(page, email);
  await expect(page.locator(".note")).toHaveText(["milk, bread"]);
});

test("a user whose sign-in was copied is told so when they sign in again in place", async ({ page }) => {
  const email = await signUp(page);
  await page.goto("/notes", { waitUntil: "networkidle" });
  await page.getByLabel("A new note").fill("milk, bread");
  await endSession(page, email);
  // As the server says after a copy, which takes minutes to be noticed.
  await page.route("**/api/viewer", async (route) => {
    const answer = await route.fetch();
    const viewer = await answer.json();
    viewer.session.copied_at = viewer.now;
    await route.fulfill({ response: answer, json: viewer });
  });
  await page.getByRole("button", { name: "Keep it" }).click();
  await signInAgain(page, email);
  await expect(page.locator(".note")).toHaveText(["milk, bread"]);
  await expect(page.locator(".session-note")).toContainText("a copy of your sign-in may have been used");
  await expectFitAndAccessible(page, "copied-in-place");
});

test("a second press while the password is checked signs in once", async ({ page }) => {
  const email = await signUp(page);
  await page.goto("/notes", { waitUntil: "networkidle" });
  await page.getByLabel("A new note").fill("milk, bread");
  await endSession(page, email);
  await page.getByRole("button", { name: "Keep it" }).click();
  const asks = dialog(page);
  await asks.getByLabel("Password").fill(password);
  const signIns = callsOf(page, "sign_in");
  const notes = callsOf(page, "write_note");
  await asks.getByRole("button", { name: "Sign in" }).evaluate((button: HTMLButtonElement) => {
    for (let presses = 0; presses < 3; presses += 1) button.click();
  });
  await expect(page.locator(".note")).toHaveText(["milk, bread"]);
  expect([signIns.length, notes.length]).toEqual([1, 1]);
});

test("calls that are refused together ask for the password once", async ({ page }) => {
  const email = await signUp(page);
  await page.goto("/notes", { waitUntil: "networkidle" });
  await endSession(page, email);
  await page.evaluate(() => {
    const ask = async (name: string) => (await fetch(`/api/${name}`)).status;
    const both = Promise.all([ask("list_notes"), ask("list_sessions")]);
    Object.assign(window, { both });
  });
  const signIns = callsOf(page, "sign_in");
  await signInAgain(page, email);
  expect(await page.evaluate(() => (window as unknown as { both: Promise<number[]> }).both)).toEqual([200, 200]);
  expect(signIns).toHaveLength(1);
});

test("the dialog signs in to the account of its page alone", async ({ page }) => {
  const email = await signUp(page);
  const grace = await page.context().browser()!.newContext({ baseURL: new URL(page.url()).origin });
  const another = await signUp(await grace.newPage());
  await page.goto("/notes", { waitUntil: "networkidle" });
  await page.getByLabel("A new note").fill("milk, bread");
  await endSession(page, email);
  await page.getByRole("button", { name: "Keep it" }).click();
  const asks = dialog(page);
  const signIns = callsOf(page, "sign_in");
  await asks.getByLabel("E-mail address").evaluate((field: HTMLInputElement, value) => (field.value = value), another);
  await asks.getByLabel("Password").fill(password);
  await page.keyboard.press("Enter");
  await expect(asks.getByRole("alert")).toContainText("This page is not of that account.");
  expect(signIns).toEqual([]);
  await grace.close();
});

test("a page does nothing for another account that its browser is signed in to", async ({ page }) => {
  await signUp(page);
  const grace = await page.context().browser()!.newContext({ baseURL: new URL(page.url()).origin });
  const another = await signUp(await grace.newPage());
  await page.goto("/notes", { waitUntil: "networkidle" });
  await page.getByLabel("A new note").fill("Ada's own");
  // The cookie changes, and no tab tells this one.
  await page.context().addCookies(await grace.cookies());
  await page.getByRole("button", { name: "Keep it" }).click();
  const asks = dialog(page);
  await expect(asks.getByRole("heading", { name: "This browser is now signed in to another account" })).toBeVisible();
  await expectFitAndAccessible(page, "another-account");
  await asks.getByRole("button", { name: "Load the page anew" }).click();
  await expect(page.getByText("You have not written any yet.")).toBeVisible();
  await page.goto("/account");
  await expect(page.getByText(another)).toBeVisible();
  await grace.close();
});
