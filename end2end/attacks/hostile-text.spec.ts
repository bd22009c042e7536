// Text that wants to be more than text: rows 22 to 24 of the list of hostile inputs.
import { functions, test as base } from "../fixtures/evil.ts";
import { expect, goTo, scriptsRun, signUp, test } from "../fixtures/test.ts";

const hostile = [
  `</textarea><script>document.title = "taken"</script>`,
  `"><img src=x onerror="document.title = 'taken'">`,
  `</script><script>document.title = "taken"</script>`,
  `{{constructor.constructor("document.title = 'taken'")()}}`,
  `\u202egnp.exe`,
];

test("a link cannot make a page speak", async ({ page }) => {
  const words = "Call 0900 555 to unlock your account";
  const encoded = encodeURIComponent(Buffer.from(words).toString("base64"));
  for (const path of ["/sign-in", "/sign-up"]) {
    const name = path.slice(1).replace("-", "_");
    for (const query of [
      `__path=%2Fapi%2F${name}&__err=${encoded}`,
      `__path=%2Fapi%2F${name}&%5f%5ferr=${encoded}`,
      `next=/account&__err=${encoded}`,
    ]) {
      await page.goto(`${path}?${query}`);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      await expect(page.getByText(words)).toHaveCount(0);
      await expect(page.getByRole("alert")).toHaveCount(0);
      expect(page.url()).not.toContain("err=");
    }
  }
});

base("no function leads to another site", async ({ page, context, baseURL, playwright }) => {
  await signUp(page);
  const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  const bare = await playwright.request.newContext({ ...(baseURL === undefined ? {} : { baseURL }) });
  for (const { path, isRead } of functions) {
    for (const referer of ["https://evil.example/", `${baseURL}.evil.example/`, "//evil.example", "javascript:alert(1)"]) {
      const headers = { accept: "text/html", referer, cookie, "content-type": "application/x-www-form-urlencoded" };
      const options = { headers: isRead ? headers : { ...headers, origin: baseURL ?? "" }, maxRedirects: 0 };
      const answer = isRead ? await bare.get(path, options) : await bare.post(path, options);
      const location = answer.headers()["location"] ?? "/";
      expect(new URL(location, baseURL).origin, `${path} from ${referer}`).toBe(baseURL);
    }
  }
  await bare.dispose();
});

test("what is typed comes back as it was, and does nothing", async ({ page }) => {
  await page.goto("/sign-up", { waitUntil: "networkidle" });
  const email = page.getByLabel("E-mail address");
  for (const text of hostile) {
    await email.fill(text);
    await page.getByRole("button", { name: "Create account" }).click();
    await expect(email).toHaveAttribute("aria-invalid", "true");
    await expect(email).toHaveValue(text);
    await expect(page).toHaveTitle(/Create/);
    expect(await page.locator("main img, main script").count()).toBe(0);
  }
});

test("what a browser says of itself is not shown as it came", async ({ browser, baseURL }) => {
  for (const text of hostile.filter((text) => /^[ -~]+$/.test(text))) {
    const context = await browser.newContext({
      userAgent: `${text} Firefox/130 Linux`,
      javaScriptEnabled: scriptsRun(),
      ...(baseURL === undefined ? {} : { baseURL }),
    });
    const page = await context.newPage();
    await signUp(page);
    for (const name of ["Devices", "Activity"]) {
      await goTo(page, name);
      await expect(page.getByText("Firefox on Linux").first()).toBeVisible();
      expect(await page.content()).not.toContain("taken");
      expect(await page.locator("main img").count()).toBe(0);
    }
    await context.close();
  }
});
