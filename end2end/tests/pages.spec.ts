// Every page in every state: axe finds nothing, nothing overflows, and a picture of each is kept.
import type { Page } from "@playwright/test";
import { elsewhere, expect, expectFitAndAccessible, fill, goTo, password, ready, scriptsRun, signUp, test } from "../fixtures/test.ts";

const states: Record<string, (page: Page, quiet: string[]) => Promise<void>> = {
  home: async (page) => void (await page.goto("/")),
  "home-signed-in": async (page) => {
    await signUp(page);
    await page.goto("/");
  },
  "sign-up": async (page) => void (await page.goto("/sign-up")),
  "sign-up-typing": async (page) => {
    await page.goto("/sign-up");
    await ready(page);
    await fill(page, "ada@example.com", "passwordpassword1");
    if (scriptsRun()) await expect(page.locator(".strength")).toBeVisible();
  },
  "sign-up-errors": async (page) => {
    await page.goto("/sign-up");
    await ready(page);
    await fill(page, "nonsense", "short");
    await page.getByRole("button", { name: "Create account" }).click();
    await expect(page.getByRole("alert")).not.toBeEmpty();
  },
  "sign-in": async (page) => void (await page.goto("/sign-in")),
  "sign-in-error": async (page) => {
    await page.goto("/sign-in");
    await ready(page);
    await fill(page, "nobody@example.com", password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert")).not.toBeEmpty();
  },
  account: async (page) => {
    const label = "l".repeat(55);
    await signUp(page, `${"a".repeat(50)}${Date.now()}@${label}.${label}.${label}.example.com`);
  },
  devices: async (page) => {
    const email = await signUp(page);
    const other = await elsewhere(page, email);
    await other.context().close();
    await goTo(page, "Devices");
    await expect(page.getByRole("article")).toHaveCount(2);
  },
  "devices-ended": async (page) => {
    const email = await signUp(page);
    const other = await elsewhere(page, email);
    await other.context().close();
    await page.goto("/account/sessions");
    await page.getByRole("button", { name: "Sign out all other devices" }).click();
    await expect(page.getByRole("status")).not.toBeEmpty();
  },
  security: async (page) => {
    await signUp(page);
    await page.goto("/account/security");
    await expect(page.getByLabel("New password")).toBeVisible();
  },
  "security-errors": async (page) => {
    await signUp(page);
    await page.goto("/account/security");
    await page.getByRole("button", { name: "Change password" }).click();
    await expect(page.getByRole("alert")).not.toBeEmpty();
  },
  activity: async (page) => {
    await signUp(page);
    await goTo(page, "Activity");
    await expect(page.getByText("The account was made")).toBeVisible();
  },
  "signed-out": async (page) => {
    const email = await signUp(page);
    const other = await elsewhere(page, email);
    await other.goto("/account/sessions");
    await other.getByRole("button", { name: "Sign out all other devices" }).click();
    await expect(other.getByRole("status")).not.toBeEmpty();
    await other.context().close();
    await goTo(page, "Overview");
    await expect(page.getByRole("alert")).not.toBeEmpty();
  },
  "proof-signed-out": async (page) => void (await page.goto("/proof")),
  proof: async (page, quiet) => {
    await signUp(page);
    await page.goto("/proof");
    if (!scriptsRun()) return;
    await expect(page.getByRole("button", { name: "Run again" })).toBeVisible();
    for (const id of ["memory", "end-devices"]) await page.locator(`#check-${id} summary`).click();
    // It tries what the policy refuses, and the browser says so.
    expect(quiet.filter((noise) => !noise.includes("attacker.example"))).toEqual([]);
    quiet.length = 0;
  },
  "not-found": async (page) => {
    const response = await page.goto("/nothing/here");
    expect(response?.status()).toBe(404);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("There is no page at this address.");
  },
  refused: async (page) => {
    // A link on a page of another site leads here.
    await page.goto("/");
    const address = new URL("/api/viewer", page.url()).href;
    await page.goto(`data:text/html,<a href="${address}">Elsewhere</a>`);
    const [response] = await Promise.all([page.waitForResponse(address), page.getByRole("link").click()]);
    expect(response.status()).toBe(403);
  },
};

for (const [name, open] of Object.entries(states)) {
  test(name, async ({ page, quiet }) => {
    await open(page, quiet);
    await expectFitAndAccessible(page, name);
  });
}
