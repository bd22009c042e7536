import { defineConfig } from "@playwright/test";
import { existsSync } from "node:fs";
import { baseURL, servers } from "./fixtures/server.ts";

// Debian's browser where there is one; Playwright's own where not.
const system = "/usr/bin/chromium";

export default defineConfig({
  // What people do, and what attackers try.
  testMatch: ["tests/*.spec.ts", "attacks/*.spec.ts"],
  outputDir: "artefacts/results",
  globalTeardown: "./fixtures/teardown.ts",
  reporter: [["list"], ["html", { outputFolder: "artefacts/report", open: "never" }]],
  workers: 2,
  // A busy machine is slow, not wrong.
  expect: { timeout: 20_000 },
  timeout: 90_000,
  forbidOnly: true,
  use: {
    baseURL,
    screenshot: "only-on-failure",
    // Recording every step costs a third of the time; to see one that failed: --trace on.
    trace: "off",
    launchOptions: {
      ...(existsSync(system) ? { executablePath: system } : {}),
      // The browser is to talk to nobody but the server under test.
      args: [
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--disable-quic",
      ],
    },
  },
  projects: [
    { name: "with-javascript" },
    // What is about hydration has no meaning here.
    { name: "without-javascript", use: { javaScriptEnabled: false }, testIgnore: "*.hydrate.spec.ts" },
    // It starts its own browser, with JavaScript and without.
    { name: "firefox", testMatch: "firefox/*.spec.ts" },
  ],
  webServer: servers,
});
