// A cookie that the attacker put there: rows 11 and 12 of the list of hostile inputs.
import { SESSION, test } from "../fixtures/evil.ts";
import { expect, fill, password, sessionCookie, signUp } from "../fixtures/test.ts";

test("signing in leaves nothing to whoever planted the session", async ({ page, context, browser, baseURL }) => {
  const email = await signUp(page);
  await context.clearCookies();
  // The attacker signs in to an account of his own and puts its cookie into the victim's browser.
  const attackers = await browser.newContext({ ...(baseURL === undefined ? {} : { baseURL }) });
  const his = await attackers.newPage();
  await signUp(his);
  const planted = await sessionCookie(attackers);
  if (!planted) throw new Error("There is no cookie.");
  await page.goto("/sign-in", { waitUntil: "networkidle" });
  await context.addCookies([planted]);
  await fill(page, email, password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText(email)).toBeVisible();

  const own = await sessionCookie(context);
  // The other one marks the browser, and signs no one in.
  const names = (await context.cookies()).map(({ name }) => name);
  expect(names.sort()).toEqual(["__Host-Http-known-browser", SESSION]);
  expect(own?.value).not.toBe(planted.value);
  // What he knows opens neither his account nor hers.
  expect((await attackers.request.get("/api/list_sessions")).status()).toBe(401);
  await attackers.close();
});

test("of two sessions in one request neither is believed", async ({ page, context, playwright, baseURL }) => {
  const email = await signUp(page);
  const own = await sessionCookie(context);
  const planted = `${SESSION}=planted`;
  const bare = await playwright.request.newContext({ ...(baseURL === undefined ? {} : { baseURL }) });
  for (const cookie of [`${SESSION}=${own?.value}; ${planted}`, `${planted}; ${SESSION}=${own?.value}`]) {
    const answer = await bare.get("/api/list_sessions", { headers: { cookie } });
    expect(answer.status()).toBe(401);
    // Nor is the victim's own taken away.
    expect(answer.headers()["set-cookie"]).toBeUndefined();
  }
  await bare.dispose();
  await page.goto("/account");
  await expect(page.getByText(email)).toBeVisible();
});
