// The developer's loop. It starts its own servers, in a copy of the project.
import usual from "./playwright.config.ts";
import { defineConfig } from "@playwright/test";

export default defineConfig({
  ...usual,
  testMatch: ["watch/*.spec.ts"],
  reporter: [["list"]],
  workers: 1,
  // Each step compiles.
  expect: { timeout: 300_000 },
  timeout: 900_000,
  projects: [{ name: "with-javascript" }],
  webServer: [],
});
