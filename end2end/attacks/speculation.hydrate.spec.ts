// Pages that the browser fetches before a click, with the cookies, and shows at the click without a
// request. A page of a sibling's can have it do so, as the site's own pages could.
import { SESSION, shopURL, test } from "../fixtures/evil.ts";
import { expect, fill, goTo, newAddress, password, signUp } from "../fixtures/test.ts";

test.use({ baseURL: shopURL });

/** A page with a link to the account, which the browser fetches at once. */
function speculating(): string {
  const rules = { prefetch: [{ urls: [`${shopURL}/account`], eagerness: "immediate" }] };
  return `<script type="speculationrules">${JSON.stringify(rules)}</script><a href="${shopURL}/account">Account</a>`;
}

test("a page that was prefetched does not outlive the session, nor does prefetching renew it", async ({ page, context, browser, evil }) => {
  const email = await signUp(page);
  const session = async () => (await context.cookies(shopURL)).find(({ name }) => name === SESSION)?.value;
  const before = await session();
  const prefetched = page.waitForResponse(
    async (response) => (await response.request().headerValue("sec-purpose")) === "prefetch",
  );
  await page.goto(evil.sibling + evil.page(speculating()));
  const answer = await prefetched;
  expect(answer.url()).toBe(`${shopURL}/account`);
  expect(await answer.headerValue("set-cookie")).toBeNull();
  expect(await session()).toBe(before);

  // The session is ended from another device, so that this browser's cookies stay as they are.
  const elsewhere = await browser.newPage({ baseURL: shopURL });
  await elsewhere.goto("/sign-in");
  await fill(elsewhere, email, password);
  await elsewhere.getByRole("button", { name: "Sign in" }).click();
  await goTo(elsewhere, "Devices");
  await elsewhere.getByRole("button", { name: "Sign out all other devices" }).click();
  await expect(elsewhere.getByRole("status")).toHaveText("1 other device was signed out.");
  await elsewhere.close();

  await page.getByRole("link", { name: "Account" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sign in");
  await expect(page.getByText(email)).toHaveCount(0);
});

test("a link to a page that was prefetched leads there while the session lives", async ({ page, evil }) => {
  const email = await signUp(page, newAddress());
  const prefetched = page.waitForResponse(`${shopURL}/account`);
  await page.goto(evil.sibling + evil.page(speculating()));
  await prefetched;
  await page.getByRole("link", { name: "Account" }).click();
  await expect(page.getByText(email)).toBeVisible();
});
