// What scripts of another page can do in the browser of somebody who is signed in.
import { expectUntouched, reads, SESSION, shopURL, test, writes } from "../fixtures/evil.ts";
import { baseURL } from "../fixtures/server.ts";
import { expect, signUp } from "../fixtures/test.ts";

test("scripts of another page do nothing and read nothing", async ({ page, evil }) => {
  const email = await signUp(page);
  for (const path of reads) {
    await page.goto(evil.site + evil.page("<h1>A prize</h1>"));
    const url = baseURL + path;
    const [opened] = await Promise.all([
      page.waitForEvent("popup"),
      page.evaluate((url) => void window.open(url), url),
    ]);
    await expect(opened.getByRole("heading", { level: 1 })).toContainText("That came from another site");
    await expect(opened.getByText(email)).toHaveCount(0);
    await opened.close();
    const read = await page.evaluate(async (url) => {
      const answer = await fetch(url, { credentials: "include" }).catch(() => undefined);
      return answer?.type ?? "nothing";
    }, url);
    expect(read, path).toBe("nothing");
    const seen = await page.evaluate(
      (url) =>
        new Promise<string>((seen) => {
          const image = new Image();
          image.onload = () => seen("an image");
          image.onerror = () => seen("nothing");
          image.src = url;
        }),
      url,
    );
    expect(seen, path).toBe("nothing");
    const heard = await page.evaluate(
      (url) =>
        new Promise<string>((heard) => {
          const socket = new WebSocket(url);
          socket.onopen = () => heard("open");
          socket.onerror = () => heard("refused");
        }),
      url.replace(/^http/, "ws"),
    );
    expect(heard, path).toBe("refused");
  }
  for (const path of writes) {
    // The request is sent all the same; what came of it is looked at below.
    await page.evaluate(async (url) => {
      const body = new URLSearchParams({ text: "The attacker was here." });
      await fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body }).catch(() => {});
    }, baseURL + path);
  }
  await expectUntouched(page, email);
});

test.describe("beside a sibling", () => {
  test.use({ baseURL: shopURL });

  test("a sibling subdomain cannot plant one", async ({ page, context, evil }) => {
    const email = await signUp(page);
    const own = (await context.cookies(shopURL)).find(({ name }) => name === SESSION);
    await page.goto(evil.sibling + evil.page("<h1>A prize</h1>"));
    await page.evaluate((name) => {
      for (const form of [name, name.toLowerCase(), ` ${name}`]) {
        for (const path of ["/", "/api"]) {
          document.cookie = `${form}=planted; Domain=shop.localhost; Path=${path}; Secure`;
          document.cookie = `${form}=planted; Domain=shop.localhost; Path=${path}`;
          // Without a name a browser writes the value alone, which reads as one.
          document.cookie = `=${form}=planted; Domain=shop.localhost; Path=${path}; Secure`;
        }
      }
      document.cookie = "ordinary=planted; Domain=shop.localhost; Path=/";
    }, SESSION);
    // It can plant cookies, and not that one. The browser's store takes them in turn, the ordinary last.
    const stored = () => context.cookies(`${shopURL}/api/viewer`);
    await expect.poll(async () => (await stored()).map(({ name }) => name)).toContain("ordinary");
    const kept = await stored();
    expect(kept.map(({ name }) => name).sort()).toEqual(["__Host-Http-known-browser", SESSION, "ordinary"]);
    expect(kept.find(({ name }) => name === SESSION)?.value).toBe(own?.value);
    await page.goto("/account");
    await expect(page.getByText(email)).toBeVisible();
  });
});
