// API keys: made, shown once, used, revoked; and what developers read about them.
import type { APIRequestContext } from "@playwright/test";
import { forgetfulURL } from "../fixtures/server.ts";
import { choose, create, newKey, shownKey } from "../fixtures/keys.ts";
import { expect, expectAccessible, expectFitAndAccessible, goTo, password, signUp, test } from "../fixtures/test.ts";

/** The status of a program's request, which has no cookies. */
async function status(request: APIRequestContext, key: string, path = "/v1/me"): Promise<number> {
  const answer = await request.get(path, { headers: { authorization: `Bearer ${key}` } });
  return answer.status();
}

test("a key is made, shown until its owner has it, used and revoked", async ({ page, request }) => {
  await signUp(page);
  await goTo(page, "API keys");
  await expect(page.getByText("There is none yet.")).toBeVisible();
  await choose(page, "backup script", ["See whose account it is", "See what happened"]);
  await page.getByLabel("It expires after").selectOption("90 days");
  await create(page);
  const key = await shownKey(page);
  expect(await status(request, key)).toBe(200);
  expect(await status(request, key, "/v1/sessions")).toBe(403);
  await expectFitAndAccessible(page, "keys-new");

  await page.reload();
  expect(await shownKey(page)).toBe(key);
  await newKey(page).getByRole("button", { name: "I have it" }).click();
  await expect(page.locator(".secret-text")).toHaveCount(0);
  const card = page.getByRole("article", { name: "backup script" });
  await expect(card).toContainText("See whose account it is, See what happened");
  await expect(card).toContainText("Last used just now");
  await expect(card).toContainText(key.slice(-6));
  await expect(page.locator("body")).not.toContainText(key);
  await expectFitAndAccessible(page, "keys");

  await card.getByRole("button", { name: "Revoke backup script" }).click();
  await expect(page.getByRole("status")).toHaveText("The key was revoked. It opens nothing any more.");
  await expect(card).toHaveCount(0);
  expect(await status(request, key)).toBe(401);
  await goTo(page, "Activity");
  await expect(page.locator(".day li")).toHaveText([
    /An API key was revoked/,
    /An API key was created/,
    /The account was made/,
  ]);
});

test("a new key stays in sight while the old one is revoked and others are made", async ({ page, request }) => {
  await signUp(page);
  await page.goto("/account/keys");
  const make = async (label: string) => {
    await choose(page, label, ["See whose account it is"]);
    await create(page);
    return await shownKey(page, label);
  };
  const old = await make("deploy");
  await newKey(page).getByRole("button", { name: "I have it" }).click();
  await expect(newKey(page)).toHaveCount(0);
  const fresh = await make("deploy, new");
  const old_card = page.getByRole("article", { name: "deploy", exact: true });
  await old_card.getByRole("button", { name: "Revoke deploy" }).click();
  await expect(old_card).toHaveCount(0);
  expect(await status(request, old)).toBe(401);
  expect(await shownKey(page)).toBe(fresh);

  const other = await make("other");
  await create(page);
  await expect(page.getByRole("alert").filter({ visible: true })).toHaveText(/fields need another look/);
  expect(await shownKey(page, "deploy, new")).toBe(fresh);
  expect(await shownKey(page, "other")).toBe(other);
  await expectFitAndAccessible(page, "keys-two-new");

  await page.getByRole("article", { name: "other" }).getByRole("button", { name: "Revoke other" }).click();
  await expect(newKey(page, "other")).toHaveCount(0);
  expect(await shownKey(page)).toBe(fresh);
  await newKey(page).getByRole("button", { name: "I have it" }).click();
  await expect(newKey(page)).toHaveCount(0);
  expect(await page.content()).not.toContain(fresh);
  expect(await status(request, fresh)).toBe(200);
  await page.reload();
  await expect(page.getByRole("article", { name: "deploy, new" })).toBeVisible();
  await expect(newKey(page)).toHaveCount(0);
});

test("what is missing is told, and what was chosen stays", async ({ page }) => {
  await signUp(page);
  await page.goto("/account/keys");
  await expect(page.getByText("There is none yet.")).toBeVisible();
  await create(page);
  await expect(page.getByRole("alert").filter({ visible: true })).toHaveText("2 fields need another look.");
  await expect(page.getByLabel("What it is for")).toHaveAccessibleDescription(/Fill this in\./);
  await expect(page.getByRole("group", { name: "What it may do" })).toContainText("Choose at least one.");
  await expectFitAndAccessible(page, "keys-errors");
  const hostile = `"><img src=x onerror=alert(1)>{{1+1}}\u202egnp`;
  await choose(page, hostile, []);
  await page.getByLabel("It expires after").selectOption("7 days");
  await create(page);
  await expect(page.getByRole("alert").filter({ visible: true })).toHaveText("One field needs another look.");
  await expect(page.getByLabel("What it is for")).toHaveValue(hostile);
  await expect(page.getByLabel("It expires after")).toHaveValue("7");
  await page.getByLabel("See your API keys").check();
  await page.getByLabel("Sign devices out").check();
  await create(page);
  await shownKey(page);
  await expect(page.getByRole("article")).toContainText(hostile);
  await expect(page.getByRole("article")).toContainText("Sign devices out, See your API keys");
});

test.describe("where a sign-in is recent for five seconds", () => {
  test.use({ baseURL: forgetfulURL });

  test("asks for the password, and then makes the key", async ({ page, request }) => {
    await signUp(page);
    await page.goto("/account/keys");
    await expect(page.getByText("There is none yet.")).toBeVisible();
    await choose(page, "later", ["See your devices", "See whose account it is"]);
    const tried = () =>
      page.request.post("/api/create_api_key", { form: { label: "" }, headers: { origin: forgetfulURL } });
    await expect.poll(async () => (await tried()).status(), { timeout: 15_000 }).toBe(403);
    await create(page);
    await expect(page.getByRole("heading", { name: "Is it you?" })).toBeVisible();
    await expectAccessible(page);
    await page.getByLabel("Your password", { exact: true }).fill("not this one at all");
    await page.getByRole("button", { name: "Go on" }).click();
    await expect(page.getByLabel("Your password", { exact: true })).toHaveAccessibleDescription(
      /This is not your password\. Try again\./,
    );
    await page.getByLabel("Your password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Go on" }).click();
    const key = await shownKey(page);
    expect(await status(request, key, "/v1/sessions")).toBe(200);
    await expect(page.getByRole("article", { name: "later" })).toBeVisible();
    await expect(page.getByRole("heading", { name: "Is it you?" })).toHaveCount(0);
  });
});

test("developers read what programs read", async ({ page, request }) => {
  await page.goto("/developers");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("For developers");
  const document = await (await request.get("/v1/openapi.json")).json();
  for (const [path, methods] of Object.entries<Record<string, { summary: string; security: { api_key: string[] }[] }>>(
    document.paths,
  )) {
    for (const [method, operation] of Object.entries(methods)) {
      const section = page.getByRole("region", { name: operation.summary });
      await expect(section).toContainText(`${method.toUpperCase()} ${path}`);
      await expect(section).toContainText(operation.security[0]?.api_key[0] ?? "nothing");
      await expect(section).toContainText("Authorization: Bearer $KEY");
    }
  }
  // What finds keys that leaked finds one.
  const pattern = await page.locator("#key-pattern").textContent();
  await signUp(page);
  await page.goto("/account/keys");
  await choose(page, "leaked", ["See whose account it is"]);
  await create(page);
  const key = await shownKey(page);
  expect(`export KEY="${key}" # for deploys`.match(new RegExp(pattern ?? "", "g"))).toEqual([key]);
  // Where a problem's type leads to.
  await page.goto("/developers#insufficient_scope");
  await expect(page.locator("#insufficient_scope")).toBeInViewport();
  await expectFitAndAccessible(page, "developers");
});
