// A page of another origin, in the victim's own browser.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test as base, expect } from "@playwright/test";
import { baseURL } from "../fixtures/server.ts";
import { newAddress, password, signUp } from "../fixtures/test.ts";

const test = base.extend<{ evil: string }>({
  evil: async ({}, use) => {
    const server = createServer((request, response) => {
      const path = new URL(request.url ?? "/", "http://evil").pathname;
      response.setHeader("content-type", "text/html");
      response.end(`<form id="f" method="post" action="${baseURL}/api${path}">
        <input name="email" value="${newAddress()}"><input name="password" value="${password}">
        <button>Win a prize</button></form>`);
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await new Promise((closed) => server.close(closed));
  },
});

for (const wanted of ["sign_out", "sign_up", "sign_in"]) {
  test(`cannot ${wanted}`, async ({ page, evil }) => {
    const email = await signUp(page);
    await page.goto(`${evil}/${wanted}`);
    const [answer] = await Promise.all([
      page.waitForResponse(`${baseURL}/api/${wanted}`),
      page.getByRole("button").click(),
    ]);
    expect(answer.status()).toBe(403);
    await expect(page.getByRole("heading", { level: 1 })).toContainText("That came from another site");
    await page.goto("/account");
    await expect(page.getByText(email)).toBeVisible();
  });
}
