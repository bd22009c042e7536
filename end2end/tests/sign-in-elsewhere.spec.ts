// People sign in to another app through Cloakroom, in a real browser and with a real client
// library, and take it back.
import type { Page } from "@playwright/test";
import { expect, expectFitAndAccessible, fill, newAddress, password, ready, signUp, test } from "../fixtures/test.ts";
import { relyingParty, type RelyingParty } from "../fixtures/relying-party.ts";

let wiki: RelyingParty;
test.beforeEach(async ({ quiet: _ }) => {
  wiki = await relyingParty();
});
test.afterEach(async ({ quiet }) => {
  // The browser is meant to go there, and to no other place.
  const others = quiet.filter((noise) => !noise.startsWith(`elsewhere: ${wiki.url}/`));
  quiet.length = 0;
  quiet.push(...others);
  await wiki.close();
});

const heading = (page: Page) => page.getByRole("heading", { level: 1 });

test("from signing in to taking it back", async ({ page, baseURL }) => {
  const email = await signUp(page);
  await page.context().clearCookies();

  // Signed out, the app's link leads to sign in, then to the question, then back.
  await page.goto(wiki.url);
  await page.getByRole("link", { name: "Sign in", exact: true }).click();
  await expect(heading(page)).toHaveText("Sign in");
  await ready(page);
  await fill(page, email, password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(heading(page)).toHaveText("Sign in to The Wiki?");
  await expect(page.getByText(new URL(wiki.url).host)).toBeVisible();
  await expectFitAndAccessible(page, "consent");
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  await expect(heading(page)).toHaveText(`Hello ${email}`);
  expect(page.url()).toContain(`${wiki.url}/callback?code=`);

  await page.getByRole("link", { name: "Refresh" }).click();
  await expect(heading(page)).toHaveText("Refreshed");
  // The second time nobody is asked.
  await page.getByRole("link", { name: "Sign in", exact: true }).click();
  await expect(heading(page)).toHaveText(`Hello ${email}`);

  // Taken back here, the app gets nothing more.
  await page.goto(`${baseURL}/account/apps`);
  await expect(page.getByRole("heading", { name: "The Wiki" })).toBeVisible();
  await expectFitAndAccessible(page, "apps");
  await page.getByRole("button", { name: "Disconnect The Wiki" }).click();
  await expect(page.getByText("The app is disconnected.")).toBeVisible();
  await expect(page.getByText("You have not signed in to any other app from here.")).toBeVisible();
  await page.goto(`${wiki.url}/refresh`);
  await expect(heading(page)).toHaveText("Not refreshed: invalid_grant");
  await page.getByRole("link", { name: "Sign in", exact: true }).click();
  await expect(heading(page)).toHaveText("Sign in to The Wiki?");
});

test("whoever says no goes back, and nothing is allowed", async ({ page, baseURL }) => {
  await signUp(page);
  await page.goto(`${wiki.url}/login`);
  await page.getByRole("button", { name: "Do not allow" }).click();
  await expect(heading(page)).toHaveText("Refused: access_denied");
  await page.goto(`${baseURL}/account/apps`);
  await expect(page.getByText("You have not signed in to any other app from here.")).toBeVisible();
});

test("an app may ask whether it is still the same person", async ({ page }) => {
  const email = await signUp(page, newAddress());
  await page.goto(`${wiki.url}/login`);
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  await expect(heading(page)).toHaveText(`Hello ${email}`);
  await page.getByRole("link", { name: "Sign in anew" }).click();
  await expect(heading(page)).toHaveText("Is it you?");
  await ready(page);
  await expectFitAndAccessible(page, "consent-confirm");
  const field = page.getByLabel("Your password", { exact: true });
  await field.fill("another lamp over six stairs");
  await page.getByRole("button", { name: "Go on" }).click();
  await expect(page.getByText("This is not your password. Try again.")).toBeVisible();
  await field.fill(password);
  await page.getByRole("button", { name: "Go on" }).click();
  await expect(heading(page)).toHaveText(`Hello ${email}`);
});

test("a broken link says so, and leads nowhere", async ({ page }) => {
  const response = await page.goto("/oauth2/authorize?client_id=nobody&redirect_uri=https://evil.example/");
  expect(response?.status()).toBe(400);
  await expect(heading(page)).toHaveText("This link to sign in does not work.");
  expect(await page.locator("a[href*=evil]").count()).toBe(0);
  await expectFitAndAccessible(page, "unknown-app");
});

test("signing out of the app signs out here, and a link alone does not", async ({ page, baseURL }) => {
  const email = await signUp(page);
  await page.goto(`${wiki.url}/login`);
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  await expect(heading(page)).toHaveText(`Hello ${email}`);

  // Another site's link shows nothing of the person's: they are asked.
  const back = `client_id=${wiki.clientId}&post_logout_redirect_uri=${encodeURIComponent(`${wiki.url}/`)}`;
  await page.goto(`${baseURL}/oauth2/logout?${back}`);
  await expect(heading(page)).toHaveText("Do you want to sign out?");
  await expectFitAndAccessible(page, "sign-out-asked");
  await page.getByRole("link", { name: "Stay signed in" }).click();
  await expect(heading(page)).toHaveText("Your account");

  // The app's own link does.
  await page.goto(`${wiki.url}/logout`);
  await expect(page).toHaveURL(`${wiki.url}/`);
  await page.goto(`${baseURL}/account`);
  await expect(heading(page)).toHaveText("Sign in");
  await page.goto(`${wiki.url}/refresh`);
  await expect(heading(page)).toHaveText("Not refreshed: invalid_grant");

  // Whoever says yes goes back to the app as well.
  await signUp(page, newAddress());
  await page.goto(`${baseURL}/oauth2/logout?${back}`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(`${wiki.url}/`);
  await page.goto(`${baseURL}/account`);
  await expect(heading(page)).toHaveText("Sign in");
});
