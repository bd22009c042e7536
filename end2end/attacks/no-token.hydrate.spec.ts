// Promise 1: no script can read a session. Everything that a script can reach is searched for
// the cookie's value, for each part of it, and for any piece of its payload or signature.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { site } from "../fixtures/server.ts";
import { expect, fill, password, signOut, signUp, test } from "../fixtures/test.ts";

const PIECE = 16;

/** The pieces of a token that must be nowhere. The first part is the same for everybody. */
function pieces(token: string): string[] {
  const [, payload = "", signature = ""] = token.split(".");
  const windows = (text: string) =>
    Array.from({ length: text.length - PIECE + 1 }, (_, at) => text.slice(at, at + PIECE));
  return [...windows(payload), ...windows(signature)];
}

function findings(token: string, places: Record<string, string>): string[] {
  const searched = pieces(token);
  return Object.entries(places)
    .filter(([, text]) => searched.some((piece) => text.includes(piece)))
    .map(([place]) => place);
}

/** Keeps hold of every WASM memory, as an injected script would. */
async function watchMemory(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const held: WebAssembly.Memory[] = [];
    Object.assign(window, { heldMemories: held });
    for (const name of ["instantiate", "instantiateStreaming"] as const) {
      const original = WebAssembly[name] as (...given: unknown[]) => Promise<unknown>;
      Object.assign(WebAssembly, {
        [name]: async (...given: unknown[]) => {
          const made = (await original.apply(WebAssembly, given)) as
            | WebAssembly.Instance
            | WebAssembly.WebAssemblyInstantiatedSource;
          const instance = "instance" in made ? made.instance : made;
          for (const exported of Object.values(instance.exports)) {
            if (exported instanceof WebAssembly.Memory) held.push(exported);
          }
          return made;
        },
      });
    }
  });
}

/** All that a script on the page can read, by the name of the place. */
async function readable(page: Page): Promise<Record<string, string>> {
  return await page.evaluate(async () => {
    const places: Record<string, string> = {
      "document.cookie": document.cookie,
      localStorage: JSON.stringify({ ...localStorage }),
      sessionStorage: JSON.stringify({ ...sessionStorage }),
      html: document.documentElement.outerHTML,
      url: location.href,
      history: JSON.stringify(history.state),
      performance: JSON.stringify(performance.getEntries()),
    };
    const store = (window as unknown as { cookieStore: { getAll(): Promise<unknown> } }).cookieStore;
    places["cookieStore"] = JSON.stringify(await store.getAll());
    places["indexedDB"] = JSON.stringify(await indexedDB.databases());
    const caches_ = await Promise.all((await caches.keys()).map(async (key) => (await (await caches.open(key)).keys()).map((it) => it.url)));
    places["caches"] = JSON.stringify(caches_);
    places["serviceWorkers"] = String((await navigator.serviceWorker.getRegistrations()).length);
    const globals: string[] = [];
    for (const name of Object.getOwnPropertyNames(window)) {
      try {
        const value = (window as unknown as Record<string, unknown>)[name];
        if (typeof value === "string") globals.push(value);
        else if (Array.isArray(value)) globals.push(JSON.stringify(value));
      } catch {
        // A global that nobody can read holds nothing that a script could take.
      }
    }
    places["globals"] = globals.join("\n");
    const memories = (window as unknown as { heldMemories: WebAssembly.Memory[] }).heldMemories;
    // One letter a byte; and the bytes of UTF-16 without the zeros between them.
    places["memory"] = memories
      .map((memory) => new TextDecoder("latin1").decode(memory.buffer as ArrayBuffer))
      .join("\n");
    places["memory as UTF-16"] = places["memory"].replaceAll("\0", "");
    places["memories held"] = String(memories.length);
    return places;
  });
}

test("no script can read the session, wherever it looks", async ({ page, context }) => {
  await watchMemory(page);
  const heard: Promise<[string, string]>[] = [];
  page.on("response", (response) => {
    heard.push(
      (async () => {
        const headers = (await response.headersArray()).filter(({ name }) => name.toLowerCase() !== "set-cookie");
        const redirected = response.status() >= 300 && response.status() < 400;
        const body = redirected ? "" : (await response.body().catch(() => Buffer.from(""))).toString("latin1");
        return [`answer of ${response.url()}`, `${JSON.stringify(headers)}\n${body}`];
      })(),
    );
  });
  const token = async () => {
    const cookie = (await context.cookies()).find(({ name }) => name === "__Host-Http-session");
    expect(cookie).toBeDefined();
    return cookie?.value ?? "";
  };

  const email = await signUp(page);
  const tokens = [await token()];
  await signOut(page);
  await page.goto("/sign-in", { waitUntil: "networkidle" });
  await fill(page, email, password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Your account");
  tokens.push(await token());

  const places: Record<string, string> = {};
  for (const path of ["/", "/account", "/nothing"]) {
    await page.goto(path, { waitUntil: "networkidle" });
    const read = await readable(page);
    expect(Number(read["memories held"])).toBeGreaterThan(0);
    expect(read["memory"]?.length).toBeGreaterThan(1 << 16);
    for (const [place, text] of Object.entries(read)) places[`${place} at ${path}`] = text;
  }
  Object.assign(places, Object.fromEntries(await Promise.all(heard)));
  const built = join(site, "pkg");
  for (const file of readdirSync(built)) places[`built ${file}`] = readFileSync(join(built, file), "latin1");
  expect(Object.keys(places).length).toBeGreaterThan(40);
  for (const value of tokens) expect(findings(value, places)).toEqual([]);
});

test("the search finds what is there to be found", async ({ page }) => {
  await watchMemory(page);
  await page.goto("/", { waitUntil: "networkidle" });
  const canary = `head.${"cAnArYpAyLoAd0123456789"}.${"SiGnAtUrE9876543210zyx"}`;
  const piece = canary.split(".")[1] ?? "";
  await page.evaluate(async (planted) => {
    document.cookie = `planted=${planted}`;
    localStorage.setItem("planted", planted);
    sessionStorage.setItem("planted", planted);
    document.body.dataset["planted"] = planted;
    history.replaceState({ planted }, "", `?planted=${planted}`);
    performance.mark(planted);
    await new Promise((opened) => (indexedDB.open(planted).onsuccess = opened));
    await (await caches.open("planted")).put(`/${planted}`, new Response("x"));
    Object.assign(window, { planted });
    const memories = (window as unknown as { heldMemories: WebAssembly.Memory[] }).heldMemories;
    const bytes = new Uint8Array(memories[0]?.buffer ?? new ArrayBuffer(0));
    // The last page of the memory: nothing is running that could mind.
    const at = bytes.length - 4096;
    for (let i = 0; i < planted.length; i += 1) {
      bytes[at + i] = planted.charCodeAt(i);
      bytes[at + 1024 + 2 * i] = planted.charCodeAt(i);
      bytes[at + 1024 + 2 * i + 1] = 0;
    }
  }, piece);
  const found = findings(canary, await readable(page));
  for (const place of [
    "document.cookie", "cookieStore", "localStorage", "sessionStorage", "html", "url", "history",
    "performance", "indexedDB", "caches", "globals", "memory", "memory as UTF-16",
  ]) {
    expect(found).toContain(place);
  }
});
