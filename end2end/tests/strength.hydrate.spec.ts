// The meter under the password is the server's own rule, fetched when somebody begins to type.
import { expect, fill, newAddress, password, test } from "../fixtures/test.ts";

test("says how strong the password is while it is typed", async ({ page }) => {
  const fetched: string[] = [];
  page.on("request", (request) => fetched.push(new URL(request.url()).pathname));
  const judges = () => fetched.filter((path) => path.includes("split_judge"));

  await page.goto("/sign-up", { waitUntil: "networkidle" });
  expect(judges()).toEqual([]);

  const field = page.getByLabel("Password", { exact: true });
  const meter = page.locator(".strength");
  await field.pressSequentially("short");
  await expect(meter).toContainText("Too easy to guess.");
  expect(judges()).toEqual([]);

  await field.fill("passwordpassword1");
  await expect(meter).toHaveAttribute("data-level", /[01]/);
  expect(judges()).toHaveLength(1);
  await field.fill(password);
  await expect(meter).toContainText("Strong.");
  await field.fill("");
  await expect(meter).toHaveCount(0);
  expect(judges()).toHaveLength(1);
});

test("what the meter calls weak the server refuses, and the other way round", async ({ page }) => {
  for (const weak of ["passwordpassword1", "qwertyuiopasdfgh", "aaaaaaaaaaaaaaaaaaaa"]) {
    await page.goto("/sign-up", { waitUntil: "networkidle" });
    await fill(page, newAddress(), weak);
    await expect(page.locator(".strength")).toHaveAttribute("data-level", /[012]/);
    await page.getByRole("button", { name: "Create account" }).click();
    await expect(page.getByRole("alert")).not.toBeEmpty();
    await expect(page).toHaveURL(/\/sign-up$/);
  }
  const email = newAddress();
  const own = `${email}2026`;
  await page.goto("/sign-up", { waitUntil: "networkidle" });
  await fill(page, email, own);
  await expect(page.locator(".strength")).toHaveAttribute("data-level", /[012]/);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("alert")).not.toBeEmpty();
});

test("the button does not move while somebody clicks it", async ({ page }) => {
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    await page.goto("/sign-up", { waitUntil: "networkidle" });
    const button = page.getByRole("button", { name: "Create account" });
    const top = async () => (await button.boundingBox())?.y ?? 0;
    const before = await top();
    await fill(page, newAddress(), password);
    await expect(page.locator(".strength")).toContainText("Strong.");
    // To half a pixel.
    expect(await top()).toBeCloseTo(before, 0);
  }
});
