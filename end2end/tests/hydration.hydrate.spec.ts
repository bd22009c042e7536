// The page that arrives and the page that is hydrated are the same, and the first works alone.
import { expect, fill, goTo, newAddress, pageLoads, password, signUp, test } from "../fixtures/test.ts";

test("the header says the same before and after hydration", async ({ page, request }) => {
  const header = async () => (await page.locator("header").innerText()).replace(/\s+/g, " ").trim();
  const served = async () => {
    const cookies = await page.context().cookies();
    const html = await (
      await request.get("/", {
        headers: { accept: "text/html", cookie: cookies.map((it) => `${it.name}=${it.value}`).join("; ") },
      })
    ).text();
    const text = /<header[^>]*>(.*?)<\/header>/s.exec(html)?.[1] ?? "";
    return text.replace(/<(?:!--.*?--|[^>]*)>/gs, " ").replace(/\s+/g, " ").trim();
  };
  await page.goto("/", { waitUntil: "networkidle" });
  expect(await header()).toBe("Cloakroom Sign in");
  expect(await served()).toBe(await header());
  await signUp(page);
  await page.goto("/", { waitUntil: "networkidle" });
  expect(await header()).toBe("Cloakroom Account Sign out");
  expect(await served()).toBe(await header());
});

test("a form works before WASM has arrived", async ({ page }) => {
  await page.route("**/*.wasm", (route) => void route.abort());
  page.on("pageerror", () => undefined);
  await page.goto("/sign-up");
  await fill(page, "nonsense", "short");
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("alert")).toHaveText("2 fields need another look.");
});

test("the first wrong field has the focus", async ({ page }) => {
  await page.goto("/sign-up", { waitUntil: "networkidle" });
  await page.getByLabel("E-mail address").focus();
  await page.keyboard.type(newAddress());
  await page.keyboard.press("Tab");
  await page.keyboard.type("short");
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Password", { exact: true })).toBeFocused();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Your account");
});

test("pages that are made in the browser break no rule of the policy", async ({ page }) => {
  await page.goto("/", { waitUntil: "networkidle" });
  await page.getByRole("banner").getByRole("link", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sign in");
  await page.getByRole("link", { name: "Create an account" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Create an account");
  await page.getByRole("link", { name: "Back to the start" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Your sign-in");
});

test("every page of the account comes to life", async ({ page }) => {
  await signUp(page);
  const pages = {
    "/account": "Devices",
    "/account/sessions": "Security",
    "/account/security": "Connected apps",
    "/account/apps": "API keys",
    "/account/keys": "Activity",
    "/account/activity": "Devices",
  };
  const loads = pageLoads(page);
  for (const [path, next] of Object.entries(pages)) {
    await page.goto(path, { waitUntil: "networkidle" });
    loads.length = 0;
    // One that is dead leaves it to the browser, which asks for the whole of the next.
    await goTo(page, next);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(next);
    expect(loads, path).toEqual([]);
  }
});
