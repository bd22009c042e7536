// Sign up, sign out, sign in: with JavaScript and without.
import { expect, fill, newAddress, password, ready, sessionCookie, signOut, signUp, test } from "../fixtures/test.ts";

test("a new account is signed in, and says so", async ({ page }) => {
  const email = await signUp(page);
  await expect(page.getByRole("status")).toHaveText(
    "Your account is ready, and you are signed in on this device.",
  );
  await expect(page.getByText(email)).toBeVisible();
  await expect(page.getByText("This device", { exact: true })).toBeVisible();
});

test("signs out and in again", async ({ page, context }) => {
  const email = await signUp(page);
  await signOut(page);
  // What is left marks the browser, and signs no one in.
  expect((await context.cookies()).map(({ name }) => name)).toEqual(["__Host-Http-known-browser"]);
  await page.getByRole("banner").getByRole("link", { name: "Sign in" }).click();
  await fill(page, email, password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Your account");
  const cookie = await sessionCookie(context);
  expect(cookie).toMatchObject({
    name: "__Host-Http-session",
    httpOnly: true,
    secure: true,
    sameSite: "Lax",
    path: "/",
    expires: -1,
  });
});

test("Back shows nothing private after signing out", async ({ page }) => {
  const email = await signUp(page);
  await signOut(page);
  await page.goBack();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByText(email)).toHaveCount(0);
});

test("keeps whoever asks for it signed in for thirty days", async ({ page, context }) => {
  const email = await signUp(page);
  await signOut(page);
  await page.goto("/sign-in");
  await fill(page, email, password);
  await page.getByLabel("Keep me signed in").check();
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Your account");
  const cookie = await sessionCookie(context);
  const days = ((cookie?.expires ?? 0) - Date.now() / 1000) / 86_400;
  expect(days).toBeGreaterThan(29.9);
  expect(days).toBeLessThan(30.1);
});

test("what is wrong stands under its field, and the address stays", async ({ page }) => {
  await page.goto("/sign-up");
  await ready(page);
  await fill(page, "nonsense", "short");
  await page.getByRole("button", { name: "Create account" }).click();
  const email = page.getByLabel("E-mail address");
  await expect(email).toHaveAccessibleDescription(/Enter an e-mail address, like name@example\.com\./);
  await expect(email).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel("Password", { exact: true })).toHaveAccessibleDescription(
    /Use at least 15 characters\./,
  );
  await expect(page.getByRole("alert")).toHaveText("2 fields need another look.");
  await expect(email).toHaveValue("nonsense");
  expect(new URL(page.url()).search).toBe("");
});

test("an address has one account", async ({ page }) => {
  const email = await signUp(page);
  await signOut(page);
  await page.goto("/sign-up");
  await fill(page, email.toUpperCase(), "another lamp over six stairs");
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByLabel("E-mail address")).toHaveAccessibleDescription(
    /This address already has an account\. Sign in instead\./,
  );
});

test("a second click on \"Create account\" before the answer to the first signs in", async ({ page, quiet }) => {
  // The page stays plain HTML, and the first answer never arrives.
  await page.route(/\.wasm$/, () => undefined);
  let clicks = 0;
  let made = () => {};
  const isMade = new Promise<void>((done) => (made = done));
  await page.route("**/api/sign_up", async (route) => {
    clicks += 1;
    if (clicks > 1) return await route.continue();
    await route.fetch({ maxRedirects: 0 });
    made();
  });
  await page.goto("/sign-up", { waitUntil: "commit" });
  await fill(page, newAddress(), password);
  const box = await page.getByRole("button", { name: "Create account" }).boundingBox();
  if (!box) throw new Error("There is no button.");
  // By the mouse itself: a locator would wait for the page that the first click leads to.
  const press = () => page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  await press();
  await isMade;
  await press();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Your account");
  expect(clicks).toBe(2);
  // The program's files never arrive, which Chromium notes after a while.
  expect(quiet.filter((noise) => !noise.includes("was preloaded"))).toEqual([]);
  quiet.length = 0;
});

test("a wrong password and an unknown address are told the same", async ({ page }) => {
  const email = await signUp(page);
  await signOut(page);
  for (const typed of [email, newAddress()]) {
    await page.goto("/sign-in");
    await fill(page, typed, "another lamp over six stairs");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert")).toHaveText(
      "That e-mail address and password do not match. Check both and try again.",
    );
    await expect(page.getByLabel("E-mail address")).toHaveValue(typed);
  }
});

test("a private page asks to sign in first, and then opens", async ({ page }) => {
  const email = await signUp(page);
  await signOut(page);
  await page.goto("/account");
  await expect(page).toHaveURL(/\/sign-in\?next=\/account$/);
  await fill(page, email, password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/account$/);
});

test("goes on to pages of its own only", async ({ page }) => {
  const email = await signUp(page);
  for (const next of ["//evil.example", "/\\evil.example", "javascript:alert(1)", "https:evil.example"]) {
    await signOut(page);
    await page.goto(`/sign-in?next=${encodeURIComponent(next)}`);
    await fill(page, email, password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL(/\/account$/);
  }
});
