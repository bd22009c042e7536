// A browser that keeps no cookie: its user reads why, and can go on when it is put right.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "@playwright/test";
import { expect, expectFitAndAccessible, fill, newAddress, password, ready, scriptsRun, signUp, test } from "../fixtures/test.ts";

const heading = (page: Page) => page.getByRole("heading", { level: 1 });

/** Opens a browser of its own, whose settings stand in its profile. */
async function browser(args: string[], settings: object, use: (context: BrowserContext) => Promise<void>): Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), "cloakroom-chromium-"));
  mkdirSync(join(profile, "Default"));
  writeFileSync(join(profile, "Default/Preferences"), JSON.stringify(settings));
  const { launchOptions } = test.info().project.use;
  const context = await chromium.launchPersistentContext(profile, {
    ...launchOptions,
    args: [...(launchOptions?.args ?? []), ...args],
    javaScriptEnabled: scriptsRun(),
  });
  try {
    await use(context);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function tryBoth(page: Page, origin: string, email: string): Promise<void> {
  await page.goto(`${origin}/sign-up`);
  // Where no cookie is kept, scripts run as anywhere.
  await ready(page);
  await fill(page, newAddress(), password);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(heading(page)).toHaveText("You are not signed in");
  await page.goto(`${origin}/sign-in?next=/account/activity`);
  await ready(page);
  await fill(page, email, password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(heading(page)).toHaveText("You are not signed in");
}

test("a user whose browser blocks cookies is told to allow them, and no session is left", async ({ page, baseURL }) => {
  const email = await signUp(page);
  const blocked = { profile: { default_content_setting_values: { cookies: 2 } } };
  await browser([], blocked, async (context) => {
    const other = await context.newPage();
    await tryBoth(other, `${baseURL}`, email);
    await expect(other.getByText("Allow cookies for this site")).toBeVisible();
    await expectFitAndAccessible(other, "cookie-not-kept");
    await other.getByRole("link", { name: "Sign in again" }).click();
    await expect(heading(other)).toHaveText("Sign in");
    expect(other.url()).toBe(`${baseURL}/sign-in?next=/account/activity`);
  });
  await page.goto("/account/sessions");
  await expect(page.getByRole("article")).toHaveCount(1);
  await page.goto("/account/activity");
  await expect(page.getByText("Signed out", { exact: true })).toBeVisible();
});

test("a user at a plain http address of the local network is told to use https", async ({ page, baseURL }) => {
  const email = await signUp(page);
  const origin = `${baseURL}`.replace("localhost", "nas.lan");
  await browser(["--host-resolver-rules=MAP nas.lan 127.0.0.1"], {}, async (context) => {
    const other = await context.newPage();
    await tryBoth(other, origin, email);
    await expect(other.getByText("This address begins with http")).toBeVisible();
  });
  await page.goto("/account/sessions");
  await expect(page.getByRole("article")).toHaveCount(1);
});
