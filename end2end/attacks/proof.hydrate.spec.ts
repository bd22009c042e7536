// The page that lets anybody try promise 1. A probe that cannot fail is worthless, so the session
// is planted in each place in turn, and that probe has to find it.
import type { Page } from "@playwright/test";
import { expect, expectAccessible, signUp, test } from "../fixtures/test.ts";

const PLACES = [
  "cookies", "cookie-store", "local-storage", "session-storage", "databases", "caches", "workers",
  "html", "globals", "addresses", "functions", "memory",
];

/** The places that the page says the session was found in, once it has looked everywhere. */
async function found(page: Page): Promise<string[]> {
  const again = page.getByRole("button", { name: "Run again" });
  await expect(again).toBeVisible();
  await expect(again).toBeEnabled();
  const states = await page
    .locator(".checks li")
    .evaluateAll((lines) => lines.map((line) => [line.id.replace("check-", ""), (line as HTMLElement).dataset["state"] ?? ""]));
  const places = states.filter(([id]) => PLACES.includes(id ?? ""));
  expect(places.map(([id]) => id)).toEqual(PLACES);
  for (const [id, state] of places) expect(["clear", "found"], id).toContain(state);
  return places.filter(([, state]) => state === "found").map(([id]) => id ?? "");
}

async function state(page: Page, id: string): Promise<[string | null, string | null]> {
  const line = page.locator(`#check-${id}`);
  return [await line.getAttribute("data-state"), await line.locator(".looked").textContent()];
}

async function sessionOf(page: Page): Promise<string> {
  const cookies = await page.context().cookies();
  const cookie = cookies.find(({ name }) => name === "__Host-Http-session");
  expect(cookie).toBeDefined();
  return cookie?.value ?? "";
}

test("whoever is signed out is told why to sign in first", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("link", { name: "See the proof" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Can a script take your sign-in?");
  await expect(page.getByText("Sign in first.")).toBeVisible();
  await expect(page.locator(".checks")).toHaveCount(0);
  await expect(page.locator("script[src='/proof.js']")).toHaveCount(0);
  await page.getByRole("main").getByRole("link", { name: "Sign in" }).click();
  await expect(page).toHaveURL("/sign-in?next=/proof");
});

test("the session is in no place, and what a script can still do is told", async ({ page, quiet }) => {
  const email = await signUp(page);
  await page.goto("/proof");
  expect(await found(page)).toEqual([]);
  await expect(page.getByRole("status").first()).toContainText("your session was nowhere in it");
  // It did look: the program's memory alone is more than a million characters.
  const [, memory] = await state(page, "memory");
  expect(Number(memory?.match(/([\d,]+) characters/)?.[1]?.replaceAll(",", ""))).toBeGreaterThan(1_000_000);
  const [, functions] = await state(page, "functions");
  expect(Number(functions?.match(/(\d+) functions/)?.[1])).toBeGreaterThan(9);

  expect(await state(page, "ask")).toEqual(["possible", `It works. The script asked who is signed in and was told: ${email} (status 200).`]);
  expect(await state(page, "end-devices")).toEqual(["possible", expect.stringContaining("It works just now")]);
  expect(await state(page, "change-password")).toEqual(["refused", expect.stringContaining("asks for your password first")]);
  for (const [id, rule] of [["foreign-script", "script-src"], ["foreign-request", "connect-src"], ["foreign-image", "img-src"]] as const) {
    expect(await state(page, id)).toEqual(["refused", expect.stringContaining(rule)]);
  }
  // The browser's own words on those three, and nothing else.
  expect(quiet.length).toBeGreaterThan(2);
  expect(quiet.filter((noise) => !noise.includes("attacker.example"))).toEqual([]);
  quiet.length = 0;

  // What the server sees is what the browser holds.
  const token = await sessionOf(page);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  const facts = await page.locator("#proof-server").innerText();
  expect(facts).toContain(Buffer.from(digest).toString("base64url"));
  expect(facts).toContain(`${token.length} characters`);
  expect(facts).toContain("HttpOnly; Secure; SameSite=Lax; Path=/; Priority=High");
  await expectAccessible(page);

  // Nothing was changed by looking.
  await page.goto("/account");
  await expect(page.getByText(email)).toBeVisible();
});

test("the report is plain text and can be copied", async ({ page, context, quiet }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await signUp(page);
  await page.goto("/proof");
  expect(await found(page)).toEqual([]);
  await page.getByRole("button", { name: "Copy the report" }).click();
  await expect(page.getByText("Copied.")).toBeVisible();
  const report = await page.evaluate(() => navigator.clipboard.readText());
  expect(report).toContain("Result: not found");
  expect(report.split("\n").filter((line) => line.startsWith("- ")).length).toBeGreaterThan(PLACES.length + 7);
  expect(report).not.toContain((await sessionOf(page)).split(".")[2]);
  quiet.length = 0;
});

test("a device that signed in a while ago is asked for the password by what ends devices", async ({ browser }) => {
  const { forgetfulURL } = await import("../fixtures/server.ts");
  const page = await browser.newPage({ baseURL: forgetfulURL });
  await signUp(page);
  await page.goto("/proof");
  await expect(async () => {
    await page.getByRole("button", { name: "Run again" }).click();
    await found(page);
    expect(await state(page, "end-devices")).toEqual(["refused", expect.stringContaining("asks for your password first")]);
  }).toPass();
  await page.context().close();
});

test.describe("with the session planted", () => {
  // Planting is not what the policy lets anybody do.
  test.use({ bypassCSP: true });

  test("each probe finds it", async ({ page, quiet }) => {
    // The whole search, once for each place.
    test.setTimeout(180_000);
    await page.route("https://attacker.example/**", (route) => route.abort());
    await signUp(page);
    await page.goto("/proof");
    expect(await found(page)).toEqual([]);
    const token = await sessionOf(page);
    const again = async () => {
      await page.getByRole("button", { name: "Run again" }).click();
      return await found(page);
    };

    /** Puts a text in a place, or takes it away again. */
    const plants: Record<string, [(text: string) => Promise<unknown>, () => Promise<unknown>]> = {
      "local-storage": [
        (text) => page.evaluate((it) => localStorage.setItem("planted", JSON.stringify({ it })), text),
        () => page.evaluate(() => localStorage.clear()),
      ],
      "session-storage": [
        (text) => page.evaluate((it) => sessionStorage.setItem(it, ""), text),
        () => page.evaluate(() => sessionStorage.clear()),
      ],
      databases: [
        (text) =>
          page.evaluate(async (it) => {
            const opened = indexedDB.open("planted", 1);
            opened.onupgradeneeded = () => opened.result.createObjectStore("store");
            await new Promise((done) => (opened.onsuccess = done));
            const put = opened.result.transaction("store", "readwrite").objectStore("store");
            const written = put.put({ deep: [new TextEncoder().encode(it)] }, "key");
            await new Promise((done) => (written.onsuccess = done));
            opened.result.close();
          }, text),
        () =>
          page.evaluate(async () => {
            const gone = indexedDB.deleteDatabase("planted");
            await new Promise((done) => (gone.onsuccess = done));
          }),
      ],
      caches: [
        (text) => page.evaluate(async (it) => (await caches.open("planted")).put("/planted", new Response(`"${it}"`)), text),
        () => page.evaluate(async () => void (await caches.delete("planted"))),
      ],
      workers: [
        (text) =>
          page.evaluate(async (it) => {
            const program = performance.getEntriesByType("resource").find(({ name }) => /\/pkg\/cloakroom[^/]*\.js$/.test(name));
            await navigator.serviceWorker.register(`${program?.name}?planted=${it}`, { type: "module" });
          }, text),
        () => page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).forEach((it) => void it.unregister())),
      ],
      html: [
        (text) => page.evaluate((it) => void (document.body.dataset["planted"] = `x${it}`), text),
        () => page.evaluate(() => void delete document.body.dataset["planted"]),
      ],
      globals: [
        (text) => page.evaluate((it) => void Object.assign(window, { planted: { deep: [new Map([["key", `Bearer ${it}`]])] } }), text),
        () => page.evaluate(() => void Reflect.deleteProperty(window, "planted")),
      ],
      addresses: [
        (text) => page.evaluate((it) => history.replaceState(null, "", `/proof?planted=${it}`), text),
        () => page.evaluate(() => history.replaceState(null, "", "/proof")),
      ],
      functions: [
        (text) =>
          page.route("**/api/list_sessions", async (route) => {
            const answer = await route.fetch();
            await route.fulfill({ response: answer, body: `${await answer.text()} ${text}` });
          }),
        () => page.unroute("**/api/list_sessions"),
      ],
      memory: [
        (text) =>
          page.evaluate(async (it) => {
            const file = performance.getEntriesByType("resource").find(({ name }) => /\/pkg\/cloakroom[^/]*\.js$/.test(name));
            const program = (await import(file?.name ?? "")) as { default(): Promise<{ memory: WebAssembly.Memory }> };
            const bytes = new Uint8Array((await program.default()).memory.buffer);
            // The end of the memory: nothing is running that could mind. As UTF-16, the harder way.
            for (let at = 0; at < it.length; at += 1) bytes[bytes.length - 2048 + 2 * at] = it.charCodeAt(at);
          }, text),
        () =>
          page.evaluate(async () => {
            const file = performance.getEntriesByType("resource").find(({ name }) => /\/pkg\/cloakroom[^/]*\.js$/.test(name));
            const program = (await import(file?.name ?? "")) as { default(): Promise<{ memory: WebAssembly.Memory }> };
            new Uint8Array((await program.default()).memory.buffer).fill(0, -2048);
          }),
      ],
    };
    for (const [place, [plant, remove]] of Object.entries(plants)) {
      await plant(token);
      expect(await again(), place).toEqual([place]);
      await remove();
    }
    // A cookie that scripts may read is seen in both ways of asking for it.
    await page.evaluate((it) => void (document.cookie = `planted=${it}`), token);
    expect(await again()).toEqual(["cookies", "cookie-store"]);
    await page.evaluate(() => void (document.cookie = "planted=; Max-Age=0"));
    // And a header of an answer.
    await page.route("**/api/viewer", async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, headers: { ...answer.headers(), "x-session": token } });
    });
    expect(await again()).toEqual(["functions"]);
    await page.unroute("**/api/viewer");
    expect(await again()).toEqual([]);
    quiet.length = 0;
  });
});
