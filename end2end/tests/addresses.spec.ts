// Addresses in the scripts of the world, and what new passwords say to password managers.
import { expect, expectFitAndAccessible, newAddress, password, ready, signOut, signUp, test } from "../fixtures/test.ts";

/** Local part that no other test has, in letters with marks. */
const name = () => `नमस्ते-${newAddress().split("@")[0]}`;

for (const domain of ["faß.example", "bücher.example", "उदाहरण.example", "例え.テスト", "نامه\u200cای.example"]) {
  test(`an address at ${domain} arrives as it is typed, and is shown so`, async ({ page }) => {
    const email = `${name()}@${domain}`;
    await page.goto("/sign-up");
    await ready(page);
    await page.getByLabel("E-mail address").pressSequentially(email);
    await expect(page.getByLabel("E-mail address")).toHaveAttribute("inputmode", "email");
    await page.getByLabel("Password", { exact: true }).fill(password);
    const sent = page.waitForRequest((request) => request.method() === "POST");
    await page.getByRole("button", { name: "Create account" }).click();
    expect(new URLSearchParams((await sent).postData() ?? "").get("email")).toBe(email);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Your account");
    await expect(page.getByText(email)).toBeVisible();
    await expect(page.locator("body")).not.toContainText("xn--");
    await signOut(page);
    // Another keyboard types the decomposed form.
    await page.goto("/sign-in");
    await ready(page);
    await page.getByLabel("E-mail address").fill(email.normalize("NFD"));
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByText(email)).toBeVisible();
  });
}

test("an invisible character in an address is called one", async ({ page }) => {
  await page.goto("/sign-up");
  await ready(page);
  await page.getByLabel("E-mail address").fill("ada\u200b@example.com");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Create account" }).click();
  const email = page.getByLabel("E-mail address");
  await expect(email).toHaveAccessibleDescription("There is an invisible character in it. Type it again.");
  await expectFitAndAccessible(page, "invisible-character");
});

test("the browser leaves it to the form to say that a new password is too short or too long", async ({ page }) => {
  await signUp(page);
  await page.goto("/account/security");
  await ready(page);
  for (const [typed, told] of [["short", "Use at least 15 characters."], ["far along ".repeat(30), "Use at most 256 characters."]] as const) {
    await page.getByLabel("Your password now").fill(password);
    const field = page.getByLabel("New password", { exact: true });
    await field.fill(typed);
    await expect(field).toHaveValue(typed);
    await expect(field).toHaveAttribute("minlength", "15");
    await expect(field).toHaveAttribute("passwordrules", "minlength: 15; maxlength: 256;");
    await page.getByRole("button", { name: "Change password" }).click();
    await expect(page.getByText(told)).toBeVisible();
  }
});
