// Before a session ends for want of use, its page warns, and one key press prolongs it (WCAG 2.2.1).
import type { Page } from "@playwright/test";
import { callsOf, dialog, signInAgain } from "../fixtures/ending.ts";
import { expect, expectFitAndAccessible, goTo, signUp, test } from "../fixtures/test.ts";

const MINUTE = 60_000;
const warning = (page: Page) => page.getByRole("alertdialog", { name: "Are you still there?" });

/** Opens the notes, with a clock that the test moves, and begins one. */
async function beginNote(page: Page): Promise<void> {
  await page.goto("/notes", { waitUntil: "networkidle" });
  await page.getByLabel("A new note").fill("milk, bread");
}

test.beforeEach(async ({ page }) => {
  await signUp(page);
  await page.clock.install();
});

for (const key of ["Enter", "Space", "Escape"]) {
  test(`the page warns before the idle end, and ${key} prolongs the session`, async ({ page }) => {
    await beginNote(page);
    await page.clock.fastForward(56 * MINUTE);
    await expect(warning(page)).toHaveCount(0);
    await page.clock.fastForward(1.5 * MINUTE);
    await expect(warning(page)).toContainText(/You will be signed out in (\d\d seconds|2 minutes)/);
    await expect(page.getByRole("button", { name: "Stay signed in" })).toBeFocused();
    if (key === "Enter") await expectFitAndAccessible(page, "session-warning");
    const used = callsOf(page, "viewer");
    await page.keyboard.press(key);
    await expect(warning(page)).toHaveCount(0);
    expect(used).toEqual(["GET"]);
    await expect(page.getByLabel("A new note")).toHaveValue("milk, bread");
    // The time begins anew.
    await page.clock.fastForward(56 * MINUTE);
    await expect(warning(page)).toHaveCount(0);
    await page.clock.fastForward(1.5 * MINUTE);
    await expect(warning(page)).toBeVisible();
  });
}

test("a tab does not warn while another is in use, and one answer is for both", async ({ page, context }) => {
  await beginNote(page);
  const other = await context.newPage();
  await other.goto("/account/security", { waitUntil: "networkidle" });
  await page.clock.fastForward(40 * MINUTE);
  await goTo(other, "Activity");
  await expect(other.getByText("The account was made")).toBeVisible();
  await page.clock.fastForward(40 * MINUTE);
  await expect(warning(page)).toHaveCount(0);
  await page.clock.fastForward(17.5 * MINUTE);
  await expect(warning(page)).toBeVisible();
  await other.getByRole("button", { name: "Stay signed in" }).click();
  await expect(warning(other)).toHaveCount(0);
  await expect(warning(page)).toHaveCount(0);
  await expect(page.getByLabel("A new note")).toHaveValue("milk, bread");
});

test("typing is use of the session, every few minutes at most", async ({ page }) => {
  await beginNote(page);
  const used = callsOf(page, "viewer");
  const field = page.getByLabel("A new note");
  await field.pressSequentially(", butter");
  expect(used).toEqual([]);
  await page.clock.fastForward(40 * MINUTE);
  await field.pressSequentially(", salt");
  await expect.poll(() => used).toEqual(["GET"]);
  await page.clock.fastForward(40 * MINUTE);
  await expect(warning(page)).toHaveCount(0);
  await expect(field).toHaveValue("milk, bread, butter, salt");
});

test("a warning that is not answered asks for the password when the time is over", async ({ page }) => {
  await beginNote(page);
  await page.clock.fastForward(57.5 * MINUTE);
  await expect(warning(page)).toBeVisible();
  await page.clock.fastForward(2 * MINUTE);
  await expect(dialog(page)).toContainText("This browser did not use the account for a while");
  const email = await dialog(page).getByLabel("E-mail address").inputValue();
  await signInAgain(page, email);
  await expect(page.getByLabel("A new note")).toHaveValue("milk, bread");
  await page.getByRole("button", { name: "Keep it" }).click();
  await expect(page.locator(".note")).toHaveText(["milk, bread"]);
});

test("a page that warns is out of sight when another tab signs out", async ({ page, context }) => {
  await beginNote(page);
  const other = await context.newPage();
  await other.goto("/account", { waitUntil: "networkidle" });
  await page.clock.fastForward(57.5 * MINUTE);
  await expect(warning(page)).toBeVisible();
  await other.evaluate(() => fetch("/api/sign_out", { method: "POST", body: new URLSearchParams() }));
  await other.goto("/");
  await expect(dialog(page).getByRole("heading", { name: "This browser is signed out" })).toBeVisible();
  await expect(page.getByRole("dialog")).toHaveCount(1);
  await expect(page.getByLabel("A new note")).toBeHidden();
});

test("a failed try to stay signed in says so in the warning", async ({ page }) => {
  await beginNote(page);
  await page.clock.fastForward(57.5 * MINUTE);
  await expect(warning(page)).toBeVisible();
  await page.route("**/api/viewer", (route) => route.abort());
  await page.keyboard.press("Enter");
  await expect(warning(page).getByRole("alert")).toHaveText("The server could not be reached. Check your connection and try again.");
  await page.unroute("**/api/viewer");
  await page.keyboard.press("Enter");
  await expect(warning(page)).toHaveCount(0);
});

test("a user who has typed something is told of the absolute end, which nothing moves", async ({ page }) => {
  // As a page is that is opened ten minutes before.
  await page.route("**/notes", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replace(/data-left-s="\d+"/, 'data-left-s="600"') });
  });
  // The server's clock stands still while the page's is moved.
  await page.route("**/api/viewer", async (route) => {
    const answer = await route.fetch();
    const viewer = await answer.json();
    viewer.session.ends_at = viewer.now + 120;
    await route.fulfill({ response: answer, json: viewer });
  });
  await page.goto("/notes", { waitUntil: "networkidle" });
  const said = page.locator(".session-note");
  await page.clock.fastForward(8 * MINUTE);
  await expect(said).toHaveCount(0);
  await page.getByLabel("A new note").fill("milk, bread");
  await expect(said).toContainText(/You will be signed out at .*: a sign-in lasts no longer\./);
  await expect(page.getByLabel("A new note")).toBeFocused();
  await expectFitAndAccessible(page, "absolute-end");
  await page.clock.fastForward(3 * MINUTE);
  await expect(said).toContainText("You were signed out: a sign-in lasts no longer.");
  await page.unroute("**/api/viewer");
  await said.getByRole("button", { name: "Sign in" }).click();
  const email = await dialog(page).getByLabel("E-mail address").inputValue();
  await signInAgain(page, email);
  await expect(said).toHaveCount(0);
  await expect(page.getByLabel("A new note")).toHaveValue("milk, bread");
});
