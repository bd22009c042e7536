// Where a user was going comes back octet for octet after signing in, creating an account and
// confirming the password, with JavaScript and without.
import type { Page } from "@playwright/test";
import { expect, fill, newAddress, password, ready, signUp, test } from "../fixtures/test.ts";
import { relyingParty } from "../fixtures/relying-party.ts";

const CASES = 4;

/** Random numbers from a fixed start, so that a case that fails fails again. */
function dice(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
}

function text(roll: (most: number) => number, from: string[]): string {
  return Array.from({ length: 4 + roll(9) }, () => from[roll(from.length)]).join("");
}

// What browsers leave as it is in an address.
const inQuery = ["a", "1", "+", "%2B", "%20", "%26", "%3D", "%25", "%2525", "%C3%A9", "%23", "/", "?", "=", "&b=", "&"];
const inState = ["n", "B", "+", "/", "==", "&", "%", "%2B", " ", "é", "🧥", '"', "<", "#", "\\"];

const heading = (page: Page) => page.getByRole("heading", { level: 1 });

/** Opens a private page; the browser is sent to sign in. */
async function sent(page: Page, address: string): Promise<void> {
  await page.context().clearCookies();
  await page.goto(address);
  await expect(heading(page)).toHaveText("Sign in");
  await ready(page);
}

test("a private page is found again after signing in and after creating an account", async ({ page, baseURL }) => {
  const email = await signUp(page);
  const roll = dice(17);
  for (let number = 0; number < CASES; number += 1) {
    const address = `${baseURL}/account/sessions?q=${text(roll, inQuery)}`;
    await sent(page, address);
    await fill(page, email, password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(heading(page)).toHaveText("Devices");
    expect(page.url()).toBe(address);

    await sent(page, address);
    await page.getByRole("link", { name: "Create an account" }).click();
    await expect(heading(page)).toHaveText("Create an account");
    await ready(page);
    // Back and forth, and a form that is refused, lose nothing.
    await page.getByRole("link", { name: "Sign in" }).click();
    await expect(heading(page)).toHaveText("Sign in");
    await ready(page);
    await page.getByRole("link", { name: "Create an account" }).click();
    await ready(page);
    const typed = newAddress();
    await fill(page, typed, "short");
    await page.getByRole("button", { name: "Create account" }).click();
    await expect(page.getByText("Use at least 15 characters.")).toBeVisible();
    await expect(page.getByLabel("E-mail address")).toHaveValue(typed);
    await fill(page, typed, password);
    await page.getByRole("button", { name: "Create account" }).click();
    await expect(heading(page)).toHaveText("Devices");
    expect(page.url()).toBe(address);
  }
});

test("a client gets its state back after signing in and after confirming the password", async ({ page, quiet }) => {
  const wiki = await relyingParty(["--trusted", "true"]);
  const email = await signUp(page);
  const roll = dice(4);
  for (let number = 0; number < CASES; number += 1) {
    const login = `${wiki.url}/login?state=${encodeURIComponent(text(roll, inState))}`;
    await sent(page, login);
    await fill(page, email, password);
    await page.getByRole("button", { name: "Sign in" }).click();
    // The client refuses an answer with any other state.
    await expect(heading(page)).toHaveText(`Hello ${email}`);

    await page.goto(`${login}&prompt=login`);
    await expect(heading(page)).toHaveText("Is it you?");
    await ready(page);
    await page.getByLabel("Your password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Go on" }).click();
    await expect(heading(page)).toHaveText(`Hello ${email}`);
  }
  await wiki.close();
  // The browser is meant to go there, and to no other place.
  const others = quiet.filter((noise) => !noise.startsWith(`elsewhere: ${wiki.url}/`));
  quiet.splice(0, quiet.length, ...others);
});
