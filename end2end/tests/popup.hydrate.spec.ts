// A client signs its users in from a popup, and the result reaches the page behind it.
import { expect, fill, newAddress, password, ready, test } from "../fixtures/test.ts";
import { relyingParty } from "../fixtures/relying-party.ts";

test("a popup that signs in through us hands the result to the page that opened it", async ({ page, quiet }) => {
  const wiki = await relyingParty();
  const email = newAddress();
  await page.goto(wiki.url);
  const opened = page.waitForEvent("popup");
  await page.getByRole("button", { name: "Sign in in a popup" }).click();
  const popup = await opened;
  const heading = popup.getByRole("heading", { level: 1 });
  await expect(heading).toHaveText("Sign in");
  await popup.getByRole("link", { name: "Create an account" }).click();
  await expect(heading).toHaveText("Create an account");
  await ready(popup);
  await fill(popup, email, password);
  await popup.getByRole("button", { name: "Create account" }).click();
  await expect(heading).toHaveText("Sign in to The Wiki?");
  await popup.getByRole("button", { name: "Allow", exact: true }).click();
  await expect(heading).toHaveText(`Hello ${email}`);
  await expect(page.locator("output")).toHaveText(`Hello ${email}`);
  await wiki.close();
  // The browser is meant to go there, and to no other place.
  const others = quiet.filter((noise) => !noise.startsWith(`elsewhere: ${wiki.url}/`));
  quiet.splice(0, quiet.length, ...others);
});
