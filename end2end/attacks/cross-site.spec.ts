// What another page can do in the browser of somebody who is signed in: rows 1 to 9 and 46 of the
// list of hostile inputs.
import { ask, asForm, expectUntouched, reads, shopURL, test, writes } from "../fixtures/evil.ts";
import { baseURL } from "../fixtures/server.ts";
import { expect, newAddress, password, signUp } from "../fixtures/test.ts";

const attackers = "the attacker's own long password";

test("there is something to attack", () => {
  expect(writes).toContain("/api/change_password");
  expect(reads).toContain("/api/list_sessions");
});

/** A form with all that any function could want. */
function form(action: string, more = ""): string {
  const fields = {
    email: newAddress(),
    password,
    current_password: password,
    new_password: attackers,
    text: "The attacker was here.",
    label: "the attacker's own",
    scopes: "sessions:write",
    expires_in_days: "365",
  };
  const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
  return `<form method="post" action="${action}" ${more}>${inputs.join("")}<button>Win a prize</button></form>`;
}

// The same from another site and from a sibling subdomain; the victim presses the button.
for (const where of ["site", "sibling"] as const) {
  const app = where === "site" ? baseURL : shopURL;
  test.describe(`from another ${where}`, () => {
    test.use({ baseURL: app });

    test("a form does nothing", async ({ page, evil }) => {
      const email = await signUp(page);
      for (const path of writes) {
        await page.goto(evil[where] + evil.page(form(app + path)));
        const [answer] = await Promise.all([
          page.waitForResponse(app + path),
          page.getByRole("button").click(),
        ]);
        expect(answer.status(), path).toBe(403);
        expect((await answer.request().allHeaders())["sec-fetch-site"]).toBe(
          where === "site" ? "cross-site" : "same-site",
        );
        await expect(page.getByRole("heading", { level: 1 })).toContainText("That came from another site");
      }
      await expectUntouched(page, email, app);
    });

    test("a form of text, or from nowhere, does nothing", async ({ page, evil }) => {
      const email = await signUp(page);
      const action = `${app}/api/end_other_sessions`;
      const framed = form(action).replaceAll('"', "&quot;");
      for (const html of [
        form(action, 'enctype="text/plain"'),
        form(action, 'enctype="multipart/form-data"'),
        `<iframe sandbox="allow-forms" srcdoc="${framed}"></iframe>`,
      ]) {
        await page.goto(evil[where] + evil.page(html));
        const inside = html.includes("iframe") ? page.frameLocator("iframe") : page;
        const [answer] = await Promise.all([
          page.waitForResponse(action),
          inside.getByRole("button").click(),
        ]);
        expect(answer.status()).toBe(403);
        const sent = await answer.request().allHeaders();
        if (html.includes("iframe")) expect(sent["origin"]).toBe("null");
      }
      await expectUntouched(page, email, app);
    });

    test("a link reads nothing", async ({ page, evil }) => {
      const email = await signUp(page);
      for (const path of [...reads, "/api/sign_out", "/api/end_other_sessions"]) {
        await page.goto(evil[where] + evil.page(`<a href="${app + path}">See</a>`));
        const [answer] = await Promise.all([
          page.waitForResponse(app + path),
          page.getByRole("link").click(),
        ]);
        expect(answer.status(), path).toBe(403);
        expect(await answer.headerValue("location")).toBeNull();
        await expect(page.getByText(email)).toHaveCount(0);
      }
      await expectUntouched(page, email, app);
    });

    test("nothing can be framed", async ({ page, evil }) => {
      await signUp(page);
      for (const path of ["/", "/account", "/sign-in"]) {
        await page.goto(evil[where] + evil.page(`<iframe src="${app + path}"></iframe>`), { waitUntil: "load" });
        await expect
          .poll(() => page.frames().map((frame) => frame.url()))
          .toContain("chrome-error://chromewebdata/");
      }
    });
  });
}

// What old browsers send, and what no browser sends, with the victim's cookie.
test("whoever does not say where they come from is refused", async ({ page, context }) => {
  const email = await signUp(page);
  const post = async (headers: Record<string, string>, body = "") =>
    (await ask(context, `${baseURL}/api/end_other_sessions`, { headers, body })).status;
  expect(await post({ ...asForm, origin: "https://evil.example" })).toBe(403);
  expect(await post({ ...asForm, origin: "null" })).toBe(403);
  expect(await post(asForm)).toBe(403);
  expect(await post({ origin: baseURL, "content-type": "text/plain" }, "{}")).toBe(415);
  // A page of our own that tells nobody where it is.
  expect(await post({ ...asForm, origin: "null", "sec-fetch-site": "same-origin" })).toBe(200);
  await expectUntouched(page, email);
});

test("no socket is opened for anybody else", async ({ page, context }) => {
  await signUp(page);
  const handshake = async (origin: Record<string, string>) => {
    const headers = {
      ...origin,
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    };
    return (await ask(context, `${baseURL}/api/list_sessions`, { headers })).status;
  };
  expect(await handshake({ origin: "https://evil.example" })).toBe(403);
  expect(await handshake({ origin: "null" })).toBe(403);
  expect(await handshake({})).toBe(403);
});
