// A sibling app fills the browser's store of cookies, which all sub-domains of a site share.
import { SESSION, shopURL, test } from "../fixtures/evil.ts";
import { expect, signUp } from "../fixtures/test.ts";

test.use({ baseURL: shopURL });

test("cookies of a sibling app do not sign the user out, however many there are", async ({ page, context, evil }) => {
  const email = await signUp(page);
  // Chromium keeps 180, and drops those that were used least recently, some thirty at once.
  const cookies = Array.from({ length: 400 }, (_, number) => `sibling-${number}=1; Secure; Path=/`);
  await page.goto(evil.sibling + evil.page("<h1>A sibling app</h1>", cookies));
  // The sibling's own ones were dropped, so that the store was full.
  const kept = await context.cookies(evil.sibling);
  expect(kept.length).toBeLessThan(180);
  expect(kept.length).toBeGreaterThan(100);
  const names = (await context.cookies(shopURL)).map(({ name }) => name);
  expect(names).toContain(SESSION);
  await page.goto("/account");
  await expect(page.getByText(email)).toBeVisible();
});
