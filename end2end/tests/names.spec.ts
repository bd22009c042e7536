// What people tell apart by a name has a name of its own, and what they tell apart by a colour has a
// sign of its own in forced colours.
import { expect, expectOwnNames, goTo, ready, signUp, test } from "../fixtures/test.ts";
import { choose, create } from "../fixtures/keys.ts";

test("two keys with one label and two password fields have buttons that can be told apart", async ({ page }) => {
  await signUp(page);
  for (let count = 1; count <= 2; count += 1) {
    await page.goto("/account/keys");
    await choose(page, "deploy", ["See whose account it is"]);
    await create(page);
    await expect(page.getByRole("button", { name: /^Revoke deploy, cloakroom_/ })).toHaveCount(count);
  }
  await expectOwnNames(page);
  await page.goto("/account/security");
  await ready(page);
  await expectOwnNames(page);
});

test("the link to the page that is open stands out in forced colours", async ({ page }) => {
  await signUp(page);
  await page.emulateMedia({ forcedColors: "active" });
  await goTo(page, "Devices");
  for (const width of [1280, 320]) {
    await page.setViewportSize({ width, height: 800 });
    const links = await page.locator(".side a").evaluateAll((links) =>
      links.map((link) => {
        const { borderLeftColor, borderBottomColor, borderLeftWidth } = getComputedStyle(link);
        const colour = borderLeftWidth === "0px" ? borderBottomColor : borderLeftColor;
        return { colour, isCurrent: link.hasAttribute("aria-current") };
      }),
    );
    const ground = await page.locator("html").evaluate((html) => getComputedStyle(html).backgroundColor);
    expect(links.length).toBeGreaterThan(3);
    expect(links.filter(({ isCurrent }) => isCurrent)).toHaveLength(1);
    for (const { colour, isCurrent } of links) expect(colour !== ground).toBe(isCurrent);
  }
});
