// A user who reads at twice the usual size of text: no page scrolls sideways, wide or narrow.
import { chromium, type Browser, type Page } from "@playwright/test";
import { elsewhere, expect, scriptsRun, signUp, test } from "../fixtures/test.ts";
import { choose, create } from "../fixtures/keys.ts";

let large: Browser;
test.beforeAll(async () => {
  const { launchOptions } = test.info().project.use;
  // The size that a user sets in the browser, which 16 px is the usual one of.
  const args = [...(launchOptions?.args ?? []), "--blink-settings=defaultFontSize=32"];
  large = await chromium.launch({ ...launchOptions, args });
});
test.afterAll(async () => await large.close());

async function open(baseURL: string | undefined): Promise<Page> {
  const context = await large.newContext({ baseURL: baseURL ?? "", javaScriptEnabled: scriptsRun() });
  const page = await context.newPage();
  await page.goto("/");
  expect(await page.evaluate("getComputedStyle(document.documentElement).fontSize")).toBe("34px");
  return page;
}

/** What reaches over the right edge, at both widths. */
async function overflowing(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const width of [1280, 640, 320]) {
    await page.setViewportSize({ width, height: 800 });
    const parts = await page.locator("html").evaluate((html) => {
      const wide = html.scrollWidth - html.clientWidth;
      if (wide <= 0) return [];
      const over = [...document.querySelectorAll("body *")].filter(
        (part) => part.getBoundingClientRect().right > html.clientWidth + 1,
      );
      return over.map((part) => `${part.tagName} ${part.className} ${part.textContent?.slice(0, 40)}`);
    });
    found.push(...parts.slice(0, 6).map((part) => `${new URL(page.url()).pathname} at ${width} px: ${part}`));
  }
  return found;
}

test("no page that anonymous visitors see scrolls sideways at 200 % text", async ({ baseURL }) => {
  const page = await open(baseURL);
  const found: string[] = [];
  for (const path of ["/", "/sign-in", "/sign-up", "/proof", "/developers", "/nothing", "/oauth2/logout", "/oauth2/authorize"]) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    found.push(...(await overflowing(page)));
  }
  await page.goto("/sign-up");
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("alert")).not.toBeEmpty();
  found.push(...(await overflowing(page)));
  expect(found).toEqual([]);
});

test("no page of an account scrolls sideways at 200 % text", async ({ baseURL }) => {
  const page = await open(baseURL);
  const email = await signUp(page);
  const other = await elsewhere(page, email);
  await other.context().close();
  await page.goto("/account/keys");
  await choose(page, "a program that copies everything at night", ["See whose account it is"]);
  await create(page);
  await expect(page.locator(".secret-text")).toBeVisible();
  const found = await overflowing(page);
  const paths = ["", "/sessions", "/security", "/apps", "/keys", "/activity"].map((path) => `/account${path}`);
  for (const path of [...paths, "/", "/proof", "/notes"]) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    found.push(...(await overflowing(page)));
  }
  expect(found).toEqual([]);
});
