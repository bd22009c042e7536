// Forms, sent by a browser with scripts and by one without.
import { elsewhere, expect, expectFitAndAccessible, fill, newAddress, password, scriptsRun, signUp, test } from "../fixtures/test.ts";

test("fields that a browser extension adds are ignored", async ({ page }) => {
  await page.goto("/sign-up", { waitUntil: "networkidle" });
  await page.evaluate(() => {
    const form = document.querySelector("form[action*=sign_up]");
    for (const name of ["g-recaptcha-response", "[0]", "fields[a][b]", "fields[]", "twice", "twice", "X"]) {
      const added = document.createElement("input");
      added.type = "hidden";
      added.name = name;
      added.value = "1";
      form?.append(added);
    }
  });
  await fill(page, newAddress(), password);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByText("Your account is ready")).toBeVisible();
});

test("a second spelling of an argument is an error, and what was typed stays", async ({ page }) => {
  await page.goto("/sign-up", { waitUntil: "networkidle" });
  const email = newAddress();
  await page.evaluate(() => {
    const added = document.createElement("input");
    added.type = "hidden";
    added.name = "email[]";
    added.value = "another@example.com";
    document.querySelector("form[action*=sign_up]")?.append(added);
  });
  await fill(page, email, password);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("alert").filter({ visible: true })).toContainText("That could not be read.");
  await expect(page.getByLabel("E-mail address")).toHaveValue(email);
});

test("a changed password leaves no field for one", async ({ page }) => {
  await signUp(page);
  await page.goto("/account/security", { waitUntil: "networkidle" });
  await page.getByLabel("Your password now").fill(password);
  await page.getByLabel("New password").fill("another lamp over eight stairs");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByRole("status")).toContainText("Your password was changed.");
  await expect(page.locator("input[type=password]")).toHaveCount(0);
  await expectFitAndAccessible(page, "security-changed");
  await page.getByRole("link", { name: "Change it again" }).click();
  await expect(page.getByLabel("New password")).toBeVisible();
  await expect(page.getByRole("status")).toBeEmpty();
});

test("the address of a function leads to its page", async ({ page }) => {
  await page.goto("/api/sign_up");
  await expect(page).toHaveURL(/\/sign-up$/);
  await expect(page.getByRole("button", { name: "Create account" })).toBeVisible();
});

test("a form whose session had ended comes back after signing in", async ({ page }) => {
  test.skip(scriptsRun(), "A page with scripts signs in in place.");
  const email = await signUp(page);
  await page.goto("/account/keys");
  await page.getByLabel("What it is for").fill("backup script");
  await page.getByLabel("See your devices").check();
  await page.getByLabel("See your API keys").check();
  await page.getByLabel("It expires after").selectOption("90 days");
  const other = await elsewhere(page, email);
  await other.goto("/account/sessions");
  await other.getByRole("button", { name: "Sign out all other devices" }).click();
  await expect(other.getByRole("status")).toHaveText("1 other device was signed out.");
  await other.context().close();

  await page.getByRole("button", { name: "Create key" }).click();
  await expect(page.getByRole("alert")).toContainText("You were signed out. Sign in to go on.");
  await fill(page, email, "not this one at all");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("do not match");
  await fill(page, email, password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/account\/keys$/);
  await expect(page.getByRole("alert").filter({ visible: true })).toContainText("this was not done");
  await expect(page.getByLabel("What it is for")).toHaveValue("backup script");
  await expect(page.getByLabel("See your devices")).toBeChecked();
  await expect(page.getByLabel("See your API keys")).toBeChecked();
  await expect(page.getByLabel("Sign devices out")).not.toBeChecked();
  await expect(page.getByLabel("It expires after")).toHaveValue("90");
  await expectFitAndAccessible(page, "keys-not-sent");
  await page.getByRole("button", { name: "Create key" }).click();
  await expect(page.locator(".secret-text")).toBeVisible();
});
