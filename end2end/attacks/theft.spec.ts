// A thief copies the cookie from the disk: with JavaScript and without.
import { forgetfulURL } from "../fixtures/server.ts";
import { expect, expectAccessible, fill, password, sessionCookie, signUp, test } from "../fixtures/test.ts";

// Cookies are renewed every second there, and the one before is good for three more.
test.use({ baseURL: forgetfulURL });

test("a copy is noticed, both are signed out, and the owner is told", async ({ page, context }, info) => {
  const email = await signUp(page);
  const copy = await sessionCookie(context);
  if (!copy) throw new Error("There is no cookie.");
  const thief = await context.browser()?.newContext({ baseURL: forgetfulURL });
  await thief?.addCookies([copy]);
  const isSignedIn = async () => (await (await thief?.request.get("/api/viewer"))?.text())?.includes(email);
  expect(await isSignedIn()).toBe(true);

  // The owner goes on, and has a new cookie; the thief waits, and comes too late.
  await expect
    .poll(async () => {
      await page.reload();
      return (await sessionCookie(context))?.value;
    })
    .not.toBe(copy.value);
  await page.reload();
  await page.reload();
  await thief?.clearCookies();
  await expect(async () => {
    await thief?.addCookies([copy]);
    expect(await isSignedIn()).toBe(false);
  }).toPass({ timeout: 15_000 });
  await thief?.close();

  await page.goto("/account/sessions");
  await expect(page.getByRole("alert")).toHaveText("You were signed out. Sign in to go on.");
  await fill(page, email, password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Devices");
  await expect(page.getByText("A copy of your sign-in may have been used on")).toBeVisible();
  await page.setViewportSize({ width: 320, height: 800 });
  const notice = page.locator(".notice", { hasText: "A copy of your sign-in" });
  const tooWide = notice.evaluate((it) => it.scrollWidth - it.clientWidth);
  expect(await tooWide).toBe(0);
  await page.screenshot({ path: `artefacts/screenshots/${info.project.name}/copied-light-320.png`, fullPage: true });
  await expectAccessible(page);
  await page.goto("/account/activity");
  await expect(page.getByText("A copy of a sign-in was used here")).toBeVisible();
});
