// What people are told when an action fails on its way: no network, or an answer that is not ours.
import { elsewhere, expect, expectAccessible, expectFitAndAccessible, fill, newAddress, password, signUp, test } from "../fixtures/test.ts";
import type { Page, Route } from "@playwright/test";

const UNREACHABLE = "The server could not be reached. Check your connection and try again.";

/** Answers the calls of a function as `answer` says, until the returned function is called. */
async function intercept(page: Page, name: string, answer: (route: Route) => Promise<void>): Promise<() => Promise<void>> {
  const url = `**/api/${name}`;
  await page.route(url, answer);
  return () => page.unroute(url);
}

const cut = (route: Route) => route.abort("connectionfailed");

test("a sign-out that does not reach the server says so, and a second try works", async ({ page }) => {
  await signUp(page);
  for (const path of ["/account", "/account/security", "/"]) {
    await page.goto(path, { waitUntil: "networkidle" });
    const restore = await intercept(page, "sign_out", cut);
    const button = page.getByRole("button", { name: "Sign out", exact: true });
    await button.focus();
    await page.keyboard.press("Enter");
    const alert = page.getByRole("alert");
    await expect(alert).toHaveText(`Signing out failed: you may still be signed in here. ${UNREACHABLE}`);
    await expect(alert).toBeInViewport();
    await expect(button).toBeFocused();
    if (path === "/account") await expectFitAndAccessible(page, "sign-out-failed");
    await restore();
  }
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await expect(page.getByRole("status")).toHaveText("You are signed out.");
});

test("a sign-out shows that it is at work, and is sent once", async ({ page }) => {
  await signUp(page);
  await page.goto("/account", { waitUntil: "networkidle" });
  let calls = 0;
  let goOn = () => undefined as void;
  const held = new Promise<void>((done) => (goOn = done));
  await intercept(page, "sign_out", async (route) => {
    calls += 1;
    await held;
    await route.continue();
  });
  const button = page.getByRole("button", { name: "Sign out", exact: true });
  await button.focus();
  await page.keyboard.press("Enter");
  await expect(button).toBeDisabled();
  await expect(button).toHaveAttribute("aria-busy", "true");
  await expectAccessible(page);
  await page.keyboard.press("Enter");
  await expect(button).toBeFocused();
  goOn();
  await expect(page.getByRole("status")).toHaveText("You are signed out.");
  expect(calls).toBe(1);
});

test("an action of an account page that fails says which, and why", async ({ page }) => {
  const email = await signUp(page);
  const other = await elsewhere(page, email);
  await page.goto("/account/keys", { waitUntil: "networkidle" });
  await page.getByLabel("What it is for").fill("deploy");
  await page.getByRole("checkbox").first().check();
  await page.getByRole("button", { name: "Create key" }).click();
  await expect(page.getByRole("heading", { name: "Your new key" })).toBeVisible();
  const actions = [
    { path: "/account/keys", button: /^Revoke/, calls: "revoke_api_key", failed: "Revoking the key failed." },
    { path: "/account/sessions", button: /^End this session/, calls: "end_session", failed: "Signing out that device failed." },
    {
      path: "/account/sessions",
      button: "Sign out all other devices",
      calls: "end_other_sessions",
      failed: "Signing out the other devices failed.",
    },
  ];
  for (const { path, button: name, calls, failed } of actions) {
    await page.goto(path, { waitUntil: "networkidle" });
    await intercept(page, calls, cut);
    const button = page.getByRole("button", { name });
    await button.focus();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("alert")).toHaveText(`${failed} ${UNREACHABLE}`);
    await expect(page.getByRole("alert")).toBeInViewport();
    await expect(button).toBeFocused();
    await expectAccessible(page);
  }
  await other.context().close();
});

test("the same error is announced once more when it comes a second time", async ({ page }) => {
  await page.goto("/sign-in", { waitUntil: "networkidle" });
  await fill(page, newAddress(), password);
  const send = page.getByRole("button", { name: "Sign in" });
  await send.click();
  const alert = page.getByRole("alert");
  await expect(alert).toHaveText(/do not match/);
  let goOn = () => undefined as void;
  const held = new Promise<void>((done) => (goOn = done));
  await intercept(page, "sign_in", async (route) => {
    await held;
    await route.continue();
  });
  await send.click();
  // A screen reader reads an alert when it appears, so it must have been away.
  await expect(alert).toBeHidden();
  goOn();
  await expect(alert).toHaveText(/do not match/);
});

const HTML = { contentType: "text/html", body: "<!DOCTYPE html><title>Bad gateway</title><h1>nginx</h1>" };
const GATEWAY = (status: number) => `A server between you and this site could not reach it (error ${status}). Try again in a moment.`;
const REFUSED = (status: number) =>
  `Something between you and this site, such as a firewall, refused this (error ${status}). Try again from another network, or ask the people who run it.`;
const answers: [string, { status: number; contentType?: string; body?: string; headers?: Record<string, string> }, string][] = [
  ["502", { status: 502, ...HTML }, GATEWAY(502)],
  ["503", { status: 503, ...HTML }, GATEWAY(503)],
  ["504", { status: 504, body: "" }, GATEWAY(504)],
  ["403", { status: 403, ...HTML }, REFUSED(403)],
  ["413", { status: 413, ...HTML }, "That is too long. Shorten it and try again."],
  ["429", { status: 429, ...HTML }, "There were too many requests from your network. Wait a minute and try again."],
  [
    "a network that asks people to sign in",
    { status: 200, ...HTML },
    "Your network answered in place of this site. It may ask you to sign in to it first: open another page, then try again here.",
  ],
];
for (const [name, answer, words] of answers) {
  test(`an answer of ${name} that is not ours is called what it is`, async ({ page, quiet }) => {
    await page.goto("/sign-in", { waitUntil: "networkidle" });
    await intercept(page, "sign_in", (route) => route.fulfill(answer));
    await fill(page, newAddress(), password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert")).toHaveText(words);
    await expect(page.getByLabel("Password", { exact: true })).toHaveValue(password);
    // The answer that this test made itself.
    quiet.splice(0, quiet.length, ...quiet.filter((noise) => !noise.startsWith(`${answer.status}: `)));
  });
}

test("a network that leads to its own page of a sign-in is called what it is", async ({ page, quiet }) => {
  await page.goto("/sign-in", { waitUntil: "networkidle" });
  await intercept(page, "sign_in", (route) => route.fulfill({ status: 302, headers: { location: "/favicon.svg" } }));
  await fill(page, newAddress(), password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toHaveText(/^Your network answered in place of this site\./);
  quiet.length = 0;
});

test("an answer of another version of the server asks for a reload", async ({ page }) => {
  await page.goto("/sign-in", { waitUntil: "networkidle" });
  await intercept(page, "sign_in", (route) => route.fulfill({ json: { went_to: "/account" } }));
  await fill(page, newAddress(), password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toHaveText("This page has been updated. Reload it and try again.");
});
