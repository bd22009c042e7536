// Firefox keeps the source of pages, and shows it without a request.
import { expect, test } from "@playwright/test";
import { firefox, type Firefox } from "../fixtures/firefox.ts";
import { baseURL } from "../fixtures/server.ts";
import { newAddress, password } from "../fixtures/test.ts";

async function signUp(browser: Firefox): Promise<string> {
  const email = newAddress();
  await browser.open(`${baseURL}/sign-up`);
  await fill(browser, email);
  await press(browser, "Create account");
  await browser.shows("Your account is ready");
  return email;
}

async function fill(browser: Firefox, email: string): Promise<void> {
  for (const [name, value] of Object.entries({ email, password })) {
    await browser.read(`document.getElementById(${JSON.stringify(name)}).value = ${JSON.stringify(value)}`);
  }
}

async function press(browser: Firefox, label: string): Promise<void> {
  await browser.read(
    `[...document.querySelectorAll("button")].find((it) => it.textContent.includes(${JSON.stringify(label)})).click()`,
  );
}

const text = (browser: Firefox) => browser.read("document.body.textContent");

for (const javascript of [true, false]) {
  test(`nothing private is left after signing out, ${javascript ? "with" : "without"} JavaScript`, async () => {
    const browser = await firefox(javascript);
    try {
      const email = await signUp(browser);
      const account = `${baseURL}/account`;
      await browser.open(account);
      await browser.open(`view-source:${account}`);
      // Before, the source is there.
      await browser.shows(email);
      await browser.open(account);
      await press(browser, "Sign out");
      await browser.shows("You are signed out.");
      await browser.open(`view-source:${account}`);
      await browser.shows("Sign in");
      expect(await text(browser)).not.toContain(email);

      await browser.open(`${baseURL}/?done=signed_out`);
      for (let steps = 0; steps < 4; steps += 1) {
        await browser.back();
        await browser.shows("Sign in");
        expect(await text(browser)).not.toContain(email);
      }
    } finally {
      await browser.close();
    }
  });

  test(`nothing private is left after the session ended elsewhere, ${javascript ? "with" : "without"} JavaScript`, async () => {
    const browser = await firefox(javascript);
    const other = await firefox(javascript);
    try {
      const email = await signUp(browser);
      const account = `${baseURL}/account`;
      // Another page than the one at which it learns that it is signed out.
      const before = `${account}/activity`;
      await browser.open(before);
      await browser.shows("The account was made");
      await other.open(`${baseURL}/sign-in`);
      await fill(other, email);
      await press(other, "Sign in");
      await other.shows("Your account");
      await other.open(`${account}/sessions`);
      await press(other, "Sign out all other devices");
      await other.shows("1 other device was signed out.");

      await browser.open(account);
      await browser.shows("You were signed out.");
      await browser.open(`view-source:${before}`);
      await browser.shows("Sign in");
      expect(await text(browser)).not.toContain("The account was made");
    } finally {
      await other.close();
      await browser.close();
    }
  });
}
