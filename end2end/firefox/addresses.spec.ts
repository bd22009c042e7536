// Firefox sends an international address as it is typed.
import { test } from "@playwright/test";
import { firefox } from "../fixtures/firefox.ts";
import { baseURL } from "../fixtures/server.ts";
import { newAddress, password } from "../fixtures/test.ts";

for (const javascript of [true, false]) {
  test(`an address in Hindi and German is shown as it was typed, ${javascript ? "with" : "without"} JavaScript`, async () => {
    const browser = await firefox(javascript);
    try {
      const email = `नमस्ते-${newAddress().split("@")[0]}@faß.example`;
      await browser.open(`${baseURL}/sign-up`);
      for (const [name, value] of Object.entries({ email, password })) {
        await browser.read(`document.getElementById(${JSON.stringify(name)}).value = ${JSON.stringify(value)}`);
      }
      await browser.read(`document.querySelector("form button[type=submit]").click()`);
      await browser.shows("Your account is ready");
      await browser.shows(email);
    } finally {
      await browser.close();
    }
  });
}
