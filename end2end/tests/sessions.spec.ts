// Devices, a changed password, and what happened: with JavaScript and without.
import { dialog } from "../fixtures/ending.ts";
import { forgetfulURL } from "../fixtures/server.ts";
import { elsewhere, expect, expectFitAndAccessible, fill, goTo, password, scriptsRun, signOut, signUp, test } from "../fixtures/test.ts";

test("ends one device, and then all others", async ({ page }) => {
  const email = await signUp(page);
  const others = [];
  for (let count = 0; count < 3; count += 1) others.push(await elsewhere(page, email));
  await goTo(page, "Devices");
  const tickets = page.getByRole("article");
  await expect(tickets).toHaveCount(4);
  await expect(tickets.first()).toContainText("This device");
  await expect(tickets.first()).toContainText("Chrome on Linux");
  await expect(tickets.first()).toContainText("with a password, from 127.0.0.1");

  await tickets.nth(1).getByRole("button", { name: "End this session" }).click();
  await expect(page.getByRole("status")).toHaveText("1 other device was signed out.");
  await expect(tickets).toHaveCount(3);
  await page.getByRole("button", { name: "Sign out all other devices" }).click();
  await expect(page.getByRole("status")).toHaveText("2 other devices were signed out.");
  await expect(tickets).toHaveCount(1);
  await expect(page.getByText("No other device is signed in.")).toBeVisible();

  for (const other of others) {
    await goTo(other, "Overview");
    await expect(other.getByRole("alert")).toHaveText("You were signed out. Sign in to go on.");
    await expect(other.getByRole("heading", { level: 1 })).toHaveText("Sign in");
    await other.context().close();
  }
});

test("a changed password signs other devices out, which say so at their next click", async ({ page }) => {
  const email = await signUp(page);
  // Whatever is clicked: a page that asks for a list, and one that asks for nothing.
  const others = { Activity: await elsewhere(page, email), Security: await elsewhere(page, email) };
  await page.goto("/account/security");
  await page.getByLabel("Your password now").fill(password);
  await page.getByLabel("New password").fill("another lamp over eight stairs");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByRole("status")).toHaveText("Your password was changed. 2 other devices were signed out.");
  await expect(page.locator("input[type=password]")).toHaveCount(0);
  await expect(page.getByRole("link", { name: "Change it again" })).toHaveAttribute("href", "/account/security");

  for (const [name, other] of Object.entries(others)) {
    await goTo(other, name);
    if (scriptsRun()) {
      await expect(dialog(other)).toContainText("You were signed out.");
      await other.keyboard.press("Escape");
    }
    const why = scriptsRun()
      ? "You were signed out. Sign in to go on."
      : "Your password was changed. Sign in with the new one.";
    await expect(other.getByRole("alert")).toContainText(why);
    await other.context().close();
  }

  await page.goto("/account/activity");
  await expect(page.getByText("The password was changed, and 2 other devices were signed out")).toBeVisible();
  await signOut(page);
  await page.goto("/sign-in");
  await fill(page, email, "another lamp over eight stairs");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Your account");
});

test("a second click on \"Change password\" before the answer to the first changes it once", async ({ page, quiet }) => {
  await signUp(page);
  // The page stays plain HTML, and the first answer never arrives.
  await page.route(/\.wasm$/, () => undefined);
  let clicks = 0;
  let changed = () => {};
  const isChanged = new Promise<void>((done) => (changed = done));
  await page.route("**/api/change_password", async (route) => {
    clicks += 1;
    if (clicks > 1) return await route.continue();
    const before = await page.context().cookies();
    await route.fetch({ maxRedirects: 0 });
    // The browser keeps the cookie that it had.
    await page.context().addCookies(before);
    changed();
  });
  await page.goto("/account/security", { waitUntil: "commit" });
  await page.getByLabel("Your password now").fill(password);
  await page.getByLabel("New password").fill("another lamp over eight stairs");
  const box = await page.getByRole("button", { name: "Change password" }).boundingBox();
  if (!box) throw new Error("There is no button.");
  // By the mouse itself: a locator would wait for the page that the first click leads to.
  const press = () => page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  await press();
  await isChanged;
  await press();
  await expect(page.getByRole("status")).toContainText("Your password was changed.");
  expect(clicks).toBe(2);
  await page.goto("/account/activity", { waitUntil: "commit" });
  await expect(page.getByText("The password was changed")).toHaveCount(1);
  // The program's files never arrive, which Chromium notes after a while.
  expect(quiet.filter((noise) => !noise.includes("was preloaded"))).toEqual([]);
});

test("a wrong password and one that is guessed are told under their fields", async ({ page }) => {
  await signUp(page);
  await page.goto("/account/security");
  await page.getByLabel("Your password now").fill("not this one at all");
  await page.getByLabel("New password").fill("another lamp over eight stairs");
  await page.getByLabel("Keep my other devices signed in").check();
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByLabel("Your password now")).toHaveAccessibleDescription(/This is not your password\. Try again\./);
  await expect(page.getByLabel("Keep my other devices signed in")).toBeChecked();
  await page.getByLabel("Your password now").fill(password);
  await page.getByLabel("New password").fill("passwordpassword");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByLabel("New password")).toHaveAccessibleDescription(/guess/);
});

test.describe("where a sign-in is recent for five seconds", () => {
  test.use({ baseURL: forgetfulURL });

  test("asks for the password, and then carries on", async ({ page }) => {
    const email = await signUp(page);
    const other = await elsewhere(page, email);
    await page.goto("/account/sessions", { waitUntil: "networkidle" });
    // Nobody has this session; whether it is looked for tells whether the sign-in is recent.
    const ended = () =>
      page.request.post("/api/end_session", { form: { id: "nobody-has-it" }, headers: { origin: forgetfulURL } });
    await expect.poll(async () => (await ended()).status(), { timeout: 15_000 }).toBe(403);

    await page.getByRole("button", { name: "Sign out all other devices" }).click();
    await expect(page.getByRole("heading", { name: "Is it you?" })).toBeVisible();
    if (scriptsRun()) await expect(page.getByLabel("Your password", { exact: true })).toBeFocused();
    await expectFitAndAccessible(page, "confirm");
    await page.getByLabel("Your password", { exact: true }).fill("not this one at all");
    await page.getByRole("button", { name: "Go on" }).click();
    await expect(page.getByLabel("Your password", { exact: true })).toHaveAccessibleDescription(
      /This is not your password\. Try again\./,
    );
    await page.getByLabel("Your password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Go on" }).click();
    await expect(page.getByRole("status")).toHaveText("1 other device was signed out.");
    await expect(page.getByRole("article")).toHaveCount(1);
    await expect(page.getByRole("heading", { name: "Is it you?" })).toHaveCount(0);
    await goTo(other, "Overview");
    await expect(other.getByRole("heading", { level: 1 })).toHaveText("Sign in");
    await other.context().close();
  });
});

test("what happened is listed, newest first", async ({ page }) => {
  const email = await signUp(page);
  await signOut(page);
  await page.goto("/sign-in");
  await fill(page, email, "not this one at all");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await fill(page, email, password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await goTo(page, "Activity");
  const entries = page.locator(".day li");
  await expect(entries).toHaveText([
    /Signed in.*Chrome on Linux, 127\.0\.0\.1/s,
    /A wrong password was entered/,
    /Signed out/,
    /The account was made/,
  ]);
});
