// Where the keyboard's focus is, once the program answers (WCAG 2.4.1, 2.4.3, 4.1.3).
import { expect, expectAccessible, fill, goTo, newAddress, pageLoads, password, signUp, test } from "../fixtures/test.ts";

test("the skip link moves the focus to the content, also after hydration", async ({ page }) => {
  await page.goto("/sign-in", { waitUntil: "networkidle" });
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByLabel("E-mail address")).toBeFocused();
});

test("a page that is made in the browser takes the focus and announces its title", async ({ page }) => {
  await signUp(page);
  await page.goto("/account/sessions", { waitUntil: "networkidle" });
  const loads = pageLoads(page);
  const expectFocus = async (title: string) => {
    await expect(page).toHaveTitle(`${title} · Cloakroom`);
    const main = page.getByRole("main", { name: `${title} · Cloakroom` });
    await expect(main).toBeFocused();
  };
  for (const title of ["Security", "Connected apps", "API keys", "Activity"]) {
    await goTo(page, title);
    await expectFocus(title);
  }
  await expectAccessible(page);
  await page.goBack();
  await expectFocus("API keys");
  await page.goForward();
  await expectFocus("Activity");
  await page.getByRole("link", { name: "Cloakroom", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Your sign-in");
  await expect(page.getByRole("main")).toBeFocused();
  expect(loads).toEqual([]);
});

test("a page that is loaded whole leaves the focus where the browser puts it", async ({ page }) => {
  await page.goto("/sign-in", { waitUntil: "networkidle" });
  expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true);
});

test("a form that is sent by the keyboard keeps the focus, and is sent once", async ({ page }) => {
  await page.goto("/sign-in", { waitUntil: "networkidle" });
  let calls = 0;
  let goOn = () => undefined as void;
  const held = new Promise<void>((done) => (goOn = done));
  await page.route("**/api/sign_in", async (route) => {
    calls += 1;
    await held;
    await route.continue();
  });
  await fill(page, newAddress(), password);
  const send = page.getByRole("button", { name: "Sign in" });
  await send.focus();
  await page.keyboard.press("Enter");
  await expect(page.locator("button[type=submit]")).toHaveAttribute("aria-busy", "true");
  await expect(page.locator("button[type=submit]")).toBeDisabled();
  await page.keyboard.press("Enter");
  await page.getByLabel("Password", { exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.locator("button[type=submit]").focus();
  goOn();
  await expect(page.getByRole("alert")).toHaveText(/do not match/);
  await expect(send).toBeFocused();
  expect(calls).toBe(1);
});
