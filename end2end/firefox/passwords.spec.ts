// Firefox fills a password that it keeps into the first field for one, also on a page after a change.
import { expect, test } from "@playwright/test";
import { firefox } from "../fixtures/firefox.ts";
import { baseURL } from "../fixtures/server.ts";
import { newAddress, password } from "../fixtures/test.ts";

for (const javascript of [true, false]) {
  test(`no password is filled in after it was changed, ${javascript ? "with" : "without"} JavaScript`, async () => {
    const browser = await firefox(javascript);
    const type = async (id: string, text: string) => {
      await browser.read(`document.getElementById(${JSON.stringify(id)}).value = ${JSON.stringify(text)}`);
    };
    const press = async (label: string) => {
      await browser.read(
        `[...document.querySelectorAll("button")].find((it) => it.textContent.includes(${JSON.stringify(label)})).click()`,
      );
    };
    try {
      await browser.open(`${baseURL}/sign-up`);
      await type("email", newAddress());
      await type("password", password);
      await press("Create account");
      await browser.shows("Your account is ready");
      await browser.open(`${baseURL}/account/security`);
      await browser.shows("Your password now");
      await type("current_password", password);
      await type("new_password", "another lamp over eight stairs");
      await press("Change password");
      await browser.shows("Your password was changed.");
      expect(await browser.read("document.querySelectorAll('input[type=password]').length")).toBe(0);
      await browser.shows("Change it again");
    } finally {
      await browser.close();
    }
  });
}
