// Times are the user's own where scripts run, and name UTC where none do.
import { expect, scriptsRun, signUp, test } from "../fixtures/test.ts";

// A zone in which it is another day than in UTC just now.
const timezoneId = new Date().getUTCHours() < 11 ? "Pacific/Pago_Pago" : "Pacific/Kiritimati";
test.use({ timezoneId });

/** Such as "24 November 2026" and "20:05". */
function clock(at: Date, timeZone: string): { day: string; time: string } {
  const day = at.toLocaleDateString("en-GB", { timeZone, day: "numeric", month: "long", year: "numeric" });
  const time = at.toLocaleTimeString("en-GB", { timeZone, hour: "2-digit", minute: "2-digit" });
  return { day, time };
}

test("what happened is told by the user's own clock, or by UTC and says so", async ({ page }) => {
  await signUp(page);
  for (const path of ["/account/activity", "/account"]) {
    await page.goto(path);
    const entry = page.locator("section.day").first();
    const at = new Date((await entry.locator("time").getAttribute("datetime")) ?? "");
    const { day, time } = clock(at, scriptsRun() ? timezoneId : "UTC");
    await expect(entry.getByRole("heading")).toHaveText(scriptsRun() ? day : `${day} (UTC)`);
    await expect(entry.locator("time")).toHaveText(time);
    const exact = scriptsRun() ? `${day}, ${time}` : `${day}, ${time} UTC`;
    await expect(entry.locator("time")).toHaveAttribute("title", exact);
  }
});

test("dates are those of the user's own calendar, or of UTC and say so", async ({ page }) => {
  await signUp(page);
  for (const path of ["/account", "/account/sessions"]) {
    await page.goto(path);
    const until = page.getByRole("article").locator("time").last();
    const at = new Date((await until.getAttribute("datetime")) ?? "");
    const { day } = clock(at, scriptsRun() ? timezoneId : "UTC");
    await expect(until).toHaveText(scriptsRun() ? day : `${day} (UTC)`);
  }
});
