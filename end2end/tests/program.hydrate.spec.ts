// The browser's program when it cannot go on: a part of it is missing, or it has panicked.
import { expect, fill, goTo, newAddress, pageLoads, password, signUp, test } from "../fixtures/test.ts";
import type { Page } from "@playwright/test";

/** Takes files of the program away, as a new release does. */
async function removeChunks(page: Page, files = "*.wasm"): Promise<void> {
  await page.route(`**/pkg/${files}`, (route) => route.fulfill({ status: 404, contentType: "application/json", body: "{}" }));
}

test("a link whose part of the program is missing loads the whole page", async ({ page }) => {
  await page.goto("/sign-in", { waitUntil: "networkidle" });
  await removeChunks(page);
  const loads = pageLoads(page);
  await page.getByRole("link", { name: "Back to the start" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Your sign-in");
  await expect(page).toHaveURL("/");
  expect(loads.map((url) => new URL(url).pathname)).toEqual(["/"]);
});

test("a page without its part of the program goes on as HTML, and loads nothing twice", async ({ page }) => {
  await signUp(page);
  // The first file arrives, the others do not.
  await removeChunks(page, "{chunk,split}*.wasm");
  await page.goto("/account/sessions", { waitUntil: "networkidle" });
  const loads = pageLoads(page);
  await goTo(page, "Security");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Security");
  await page.getByLabel("Your password now").fill("not it");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByRole("alert")).toContainText(/(One field needs|fields need) another look\./);
  expect(loads.map((url) => new URL(url).pathname)).toEqual([
    "/account/security",
    "/api/change_password",
    "/account/security",
  ]);
});

test("going back to a page whose part of the program is missing loads it whole", async ({ page }) => {
  await page.goto("/sign-up", { waitUntil: "networkidle" });
  await page.goto("/sign-in", { waitUntil: "networkidle" });
  // A page that this document makes itself, and the address of one that it has not made yet.
  await page.evaluate(() => {
    history.replaceState(null, "", "/sign-up");
    history.pushState(null, "", "/sign-in");
  });
  await removeChunks(page);
  await page.goBack();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Create an account");
});

test("what judges a password may be missing while its form still works", async ({ page }) => {
  await page.goto("/sign-up", { waitUntil: "networkidle" });
  await removeChunks(page);
  const email = newAddress();
  await fill(page, email, password);
  await expect(page.locator(".strength")).toHaveCount(0);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Your account");
});

for (const [where, place] of [
  ["before the page", "document.body.prepend(foreign)"],
  ["into the content", "document.querySelector('main').prepend(foreign)"],
  ["into the form", "document.querySelector('form').prepend(foreign)"],
  ["between the fields", "document.querySelector('form .field').after(foreign)"],
] as const) {
  test(`a form works though an extension put something ${where} before hydration`, async ({ page, quiet }) => {
    await page.addInitScript(`addEventListener("DOMContentLoaded", () => {
      const foreign = document.createElement("div");
      foreign.innerHTML = "<span>Fill in</span><b>this</b>";
      if (location.pathname === "/sign-in") { ${place} }
    })`);
    await page.goto("/sign-in", { waitUntil: "networkidle" });
    await fill(page, newAddress(), password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert")).toHaveText(/do not match/);
    await page.getByRole("link", { name: "Create an account" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Create an account");
    // A program that cannot go on says so to developers.
    quiet.length = 0;
  });
}

test("something that an extension put before the page costs it nothing", async ({ page }) => {
  await page.addInitScript(`addEventListener("DOMContentLoaded", () => document.body.prepend(document.createElement("aside")))`);
  await page.goto("/sign-in", { waitUntil: "networkidle" });
  await expect(page.getByRole("button", { name: "Show password" })).toBeVisible();
  await expect(page.locator("aside")).toHaveCount(1);
  const loads = pageLoads(page);
  await fill(page, newAddress(), password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toHaveText(/do not match/);
  expect(loads).toEqual([]);
});

test("after a panic links and forms go on as plain HTML", async ({ page, quiet }) => {
  await page.goto("/sign-in", { waitUntil: "networkidle" });
  // The program finds its memory gone, as one does that has run out of it.
  await page.evaluate(() => {
    addEventListener("focusin", () => {
      const bytes = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 112, 0, 0, 10, 5, 1, 3, 0, 0, 11];
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)));
      (exports["p"] as () => void)();
    }, { once: true });
  });
  const loads = pageLoads(page);
  await fill(page, newAddress(), password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toHaveText(/do not match/);
  expect(loads.map((url) => new URL(url).pathname)).toEqual(["/api/sign_in", "/sign-in"]);
  quiet.length = 0;
});
