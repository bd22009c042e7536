// Firefox lets a page write to the clipboard at a click alone.
import { expect, test } from "@playwright/test";
import { firefox } from "../fixtures/firefox.ts";
import { baseURL } from "../fixtures/server.ts";
import { newAddress, password } from "../fixtures/test.ts";

test("a new key is copied", async () => {
  const browser = await firefox(true);
  try {
    await browser.open(`${baseURL}/sign-up`);
    // As a page does it: what follows is about the page of API keys.
    for (const [name, form] of [
      ["sign_up", { email: newAddress(), password }],
      ["create_api_key", { label: "a script", scopes: "profile:read", expires_in_days: "7" }],
    ] as const) {
      const body = JSON.stringify(new URLSearchParams(form).toString());
      const asked = `fetch("/api/${name}", { method: "POST", body: new URLSearchParams(${body}) }).then((it) => it.status)`;
      expect(await browser.read(asked)).toBe(200);
    }
    await browser.open(`${baseURL}/account/keys`);
    const button = `[...document.querySelectorAll(".made button")].find((it) => it.textContent.startsWith("Copy"))`;
    await expect.poll(() => browser.read(`${button}.hidden`)).toBe(false);
    await browser.click(button);
    await browser.shows("Copied");
    // What was copied is what is pasted.
    await browser.read(`document.getElementById("label").focus()`);
    await browser.paste();
    const key = await browser.read(`document.querySelector(".secret-text").textContent`);
    await expect.poll(() => browser.read(`document.getElementById("label").value`)).toBe(key);
  } finally {
    await browser.close();
  }
});
