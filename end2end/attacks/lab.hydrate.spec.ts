// The lab: each attack is run, and what the page says of it is what the server answered.
import type { Page } from "@playwright/test";
import { expect, expectFitAndAccessible, test as base } from "../fixtures/test.ts";

/** What comes of each attack for the token of A and for the cookie of B. */
const expected: Record<string, [string, string]> = {
  injected: ["taken-over", "nothing-taken"],
  password: ["still-works", "refused"],
  "sign-out": ["still-works", "refused"],
  copy: ["still-works", "noticed"],
  "cross-site": ["refused", "refused"],
  planted: ["refused", "refused"],
  fixation: ["nothing-taken", "refused"],
  acting: ["acted", "acted"],
};
/** How often all of them run one after the other. */
const runs = Number(process.env["LAB_RUNS"] ?? 1);

// What attackers' pages try is refused, and the browser says so; anything else is a fault.
const meant = [
  /^Failed to load resource: the server responded with a status of 40[13] /,
  /^Failed to load resource: net::ERR_BLOCKED_BY_RESPONSE\.NotSameOrigin$/,
  /^Clear-Site-Data header on .* Cleared data types/,
  /^Framing 'http:\/\/app\.shop\.localhost:\d+\/' violates .*frame-ancestors 'none'/,
  /^WebSocket connection to 'ws:\/\/app\.shop\.localhost:\d+\/(lab\/notes|api\/list_notes)\?run=\w+' failed/,
];
const places = /^http:\/\/(localhost|127\.0\.0\.1|app\.shop\.localhost|evil\.shop\.localhost):\d+\//;

const test = base.extend<object>({
  quiet: async ({ page }, use) => {
    const noises: string[] = [];
    page.on("console", (message) => {
      if (!meant.some((text) => text.test(message.text()))) noises.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => noises.push(`error: ${error.message}`));
    page.on("response", (response) => {
      if (response.status() >= 500) noises.push(`${response.status()}: ${response.url()}`);
    });
    page.on("request", (request) => {
      if (!places.test(request.url())) noises.push(`elsewhere: ${request.url()}`);
    });
    await use(noises);
    expect(noises).toEqual([]);
  },
});

test.beforeEach(async ({ page }) => {
  await page.goto("/lab");
  expect(new URL(page.url()).hostname).toBe("app.shop.localhost");
});

const attack = (page: Page, name: string) => page.locator(`[data-attack="${name}"]`);

async function expectVerdicts(page: Page, name: string): Promise<void> {
  const verdict = (client: string) => attack(page, name).locator(`.verdict[data-client="${client}"]`);
  const [a, b] = expected[name] ?? [];
  // The reason is compared along with the verdict, so that a failure tells it.
  const told = async (client: string) =>
    `${await verdict(client).getAttribute("data-verdict")}: ${await verdict(client).locator(".reason").textContent()}`;
  expect(await told("a"), name).toMatch(new RegExp(`^${a}: .`));
  expect(await told("b"), name).toMatch(new RegExp(`^${b}: .`));
}

for (const name of Object.keys(expected)) {
  test(name, async ({ page }) => {
    test.setTimeout(60_000);
    const article = attack(page, name);
    await article.getByRole("button").click();
    await expect(article.locator("[data-verdict]")).toHaveCount(2, { timeout: 40_000 });
    await expectVerdicts(page, name);
    // The timeline is the server's own record, to the last entry and no further.
    const recorded = await article.evaluate(async (it: HTMLElement) => {
      const response = await fetch(`/lab/record?of=${it.dataset["run"]}&after=0`);
      const { entries } = (await response.json()) as { entries: Record<string, unknown>[] };
      return entries.map(({ method, path, status, decided }) => `${method} ${path} ${status} ${decided}`.trim());
    });
    expect(recorded.length).toBeGreaterThan(3);
    const shown = await article.locator(".timeline li").evaluateAll((rows) =>
      rows.map((row) => {
        const text = (selector: string) => row.querySelector(selector)?.textContent ?? "";
        const decided = text(".headers code:not(.sets)");
        return `${text(".request code")} ${text(".answer b")} ${decided}`.trim();
      }),
    );
    expect(shown).toEqual(recorded);
  });
}

test("the verdicts are the same every time", async ({ page }) => {
  test.setTimeout(30_000 + runs * 60_000);
  for (let run = 1; run <= runs; run += 1) {
    await page.getByRole("button", { name: "Run all of them" }).click();
    await expect(page.getByRole("status")).toHaveText("All 8 have run.", { timeout: 60_000 });
    for (const name of Object.keys(expected)) await expectVerdicts(page, name);
    // The next run is to say it anew.
    await page.getByRole("status").evaluate((it) => (it.textContent = ""));
  }
});

test("a stolen token's time runs out on the page", async ({ page }) => {
  const article = attack(page, "sign-out");
  await article.getByRole("button").click();
  const left = article.locator(".left");
  await expect(left).toHaveText(/^9 min [0-5]\d s$/);
  const first = (await left.textContent()) ?? "";
  await expect(left).not.toHaveText(first);
});

test("both clients write and read notes", async ({ page }) => {
  for (const client of ["a", "b"]) {
    const section = page.locator(`section[data-client="${client}"]`);
    await section.getByLabel("A note").fill(`Written by ${client} <b>`);
    await section.getByRole("button").click();
    await expect(section.locator("li").first()).toHaveText(`Written by ${client} <b>`);
    await expect(section).toContainText("Signed in as ada-");
  }
});

test("the page in every state", async ({ page }, info) => {
  test.setTimeout(120_000);
  for (const state of ["before", "after"]) {
    if (state === "after") {
      await page.getByRole("button", { name: "Run all of them" }).click();
      await expect(page.getByRole("status")).toHaveText("All 8 have run.", { timeout: 60_000 });
      // For docs/why.md: `make pictures`.
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
      await attack(page, "password").screenshot({ path: `artefacts/screenshots/${info.project.name}/lab-picture.png` });
      for (const summary of await page.locator("summary").all()) await summary.click();
    }
    await expectFitAndAccessible(page, `lab-${state}`);
  }
});
