// What a developer does: run it, watch it, break it and mend it.
import { expect, test, type Page } from "@playwright/test";
import { copyProject, copyURL, edit, isOpen, Making } from "../fixtures/copy.ts";

// One copy and one server; each test goes on where the one before ended.
test.describe.configure({ mode: "serial" });

const broken = 'compile_error!("broken by a test");\n';
const home = "src/app/pages/home.rs";
const heading = "Your sign-in, kept where no script can reach it.";
let watched: Making | undefined;

test.beforeAll(copyProject);
test.afterAll(async () => {
  await watched?.interrupt();
  expect(await isOpen()).toBe(false);
});
test.afterEach(({}, info) => {
  if (info.status !== info.expectedStatus && watched) console.log(watched.said);
});

for (const goal of ["run", "watch"]) {
  test(`make ${goal} fails and starts no server where the project does not compile`, async () => {
    edit("src/server/mod.rs", (text) => text + broken);
    const making = new Making(goal);
    try {
      expect(await making.settled(), making.said).toBe("ended");
      expect(making.status).not.toBe(0);
      expect(making.said).toContain("broken by a test");
      expect(making.said).toContain("no server was started");
    } finally {
      await making.interrupt();
      edit("src/server/mod.rs", (text) => text.replace(broken, ""));
    }
  });
}

test("an edit of a view is served, and is in the program of the browser", async ({ page }) => {
  await watching();
  await page.goto(copyURL);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(heading);
  edit(home, (text) => text.replace(heading, "An edited heading."));
  // The page loads itself anew.
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("An edited heading.");
  // And makes itself in the browser, without asking the server.
  await expect(async () => {
    await page.goto(copyURL, { waitUntil: "networkidle" });
    await page.evaluate(() => Object.assign(window, { isSameDocument: true }));
    await page.getByRole("banner").getByRole("link", { name: "Sign in" }).click({ timeout: 5000 });
    await page.getByRole("link", { name: "Back to the start" }).click({ timeout: 5000 });
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("An edited heading.", { timeout: 5000 });
    expect(await page.evaluate(() => "isSameDocument" in window)).toBe(true);
  }).toPass({ timeout: 120_000 });
});

test("an edit of the style sheet is seen on the open page", async ({ page }) => {
  await watching();
  await page.goto(copyURL, { waitUntil: "networkidle" });
  await page.evaluate(() => Object.assign(window, { isSameDocument: true }));
  edit("style/main.css", (text) => `${text}\nh1 { letter-spacing: 7px; }\n`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveCSS("letter-spacing", "7px");
  expect(await page.evaluate(() => "isSameDocument" in window)).toBe(true);
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toHaveCSS("letter-spacing", "7px");
});

test("an edit of a rule holds for the next request", async ({ page }) => {
  await watching();
  await signUp(page);
  await page.goto(`${copyURL}/notes`, { waitUntil: "networkidle" });
  edit("src/server/notes.rs", (text) => text.replace(".into_string();", ".into_string().to_uppercase();"));
  await expect(async () => {
    await page.getByLabel("A new note").fill("quiet", { timeout: 5000 });
    await page.getByRole("button", { name: "Keep it" }).click({ timeout: 5000 });
    await expect(page.locator(".note").first()).toHaveText("QUIET", { timeout: 5000 });
  }).toPass({ timeout: 300_000 });
});

// The second number is lower, as that of a migration in a later version of Cloakroom.
for (const number of ["1000", "0999"]) {
  test(`a new migration with the number ${number} is built in and run`, async ({ page }) => {
    await watching();
    await signUp(page);
    await page.goto(`${copyURL}/account`);
    const address = `migrated-${number}@example.com`;
    edit(`src/server/migrations/${number}_test.sql`, () => `UPDATE users SET email = '${address}';\n`);
    await expect(page.getByText(address).first()).toBeVisible();
  });
}

// One `make watch` for all tests, since each start compiles.
async function watching(): Promise<void> {
  watched ??= new Making("watch");
  expect(await watched.settled(), watched.said).toBe("listens");
}

async function signUp(page: Page): Promise<void> {
  await page.goto(`${copyURL}/sign-up`);
  await page.getByLabel("E-mail address").fill(`ada-${Date.now()}@example.com`);
  await page.getByLabel("Password", { exact: true }).fill("a quiet lamp over seven stairs");
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Your account");
}
