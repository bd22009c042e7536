// Firefox with its setting that blocks all cookies.
import { test } from "@playwright/test";
import { firefox } from "../fixtures/firefox.ts";
import { baseURL } from "../fixtures/server.ts";
import { newAddress, password } from "../fixtures/test.ts";

for (const javascript of [true, false]) {
  test(`a user whose browser blocks cookies is told so, ${javascript ? "with" : "without"} JavaScript`, async () => {
    const browser = await firefox(javascript, { "network.cookie.cookieBehavior": 2 });
    try {
      await browser.open(`${baseURL}/sign-up`);
      for (const [name, value] of Object.entries({ email: newAddress(), password })) {
        await browser.read(`document.getElementById("${name}").value = ${JSON.stringify(value)}`);
      }
      await browser.read(`document.querySelector("main button[type=submit]").click()`);
      await browser.shows("You are not signed in");
      await browser.shows("Allow cookies for this site");
    } finally {
      await browser.close();
    }
  });
}
