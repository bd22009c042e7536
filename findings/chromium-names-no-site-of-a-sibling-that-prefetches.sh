#!/usr/bin/env bash
# Chromium 153.0.8010.0 sends `Sec-Fetch-Site: none` where a page of a sibling host prefetches.
#
# Seen: a page at one host of a site follows a link to another host of it, and the request says `same-site`.
# The same page prefetches another address of that host by a speculation rule, and the request says `none`,
# as one does that a user typed (Fetch Metadata, 2.3), although its Referer names the page. `Sec-Purpose:
# prefetch` is what tells the two apart.
# Output seen:
#   a link that is clicked: same-site, no purpose
#   a speculation rule: none, prefetch
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
# The package unpacks the browser there.
export TMPDIR=$folder

npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @sparticuz/chromium@153.0.0 playwright-core@1.65.1

cat >finding.mjs <<'JS'
import packed from "@sparticuz/chromium";
import { createServer } from "node:http";
import { chromium } from "playwright-core";

const asked = {};
const arrived = {};
for (const path of ["/clicked", "/prefetched"]) {
  asked[path] = new Promise((resolve) => (arrived[path] = resolve));
}
const server = createServer((request, response) => {
  arrived[request.url]?.(request.headers);
  const app = `http://app.shop.localhost:${server.address().port}`;
  const rules = { prefetch: [{ source: "list", urls: [`${app}/prefetched`], eagerness: "immediate" }] };
  response.setHeader("Content-Type", "text/html");
  response.end(
    request.url === "/"
      ? `<a href="${app}/clicked">go</a><script type=speculationrules>${JSON.stringify(rules)}</script>`
      : "here",
  );
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const executablePath = await packed.executablePath();
const browser = await chromium.launch({ executablePath, args: packed.args, headless: true });
console.log(`Chromium ${browser.version()}`);
// Where the browser sends no such request, this ends in words that differ from the expected ones.
const orNothing = (promise) =>
  Promise.race([promise, new Promise((resolve) => setTimeout(() => resolve({}), 30_000).unref())]);
const said = (headers) => `${headers["sec-fetch-site"]}, ${headers["sec-purpose"] ?? "no purpose"}`;
const page = await browser.newPage();
await page.goto(`http://wiki.shop.localhost:${server.address().port}/`);
const prefetched = await orNothing(asked["/prefetched"]);
await page.getByText("go").click();
console.log(`a link that is clicked: ${said(await orNothing(asked["/clicked"]))}`);
console.log(`a speculation rule: ${said(prefetched)}`);
await browser.close();
server.close();
server.closeAllConnections();
JS
seen=$(node finding.mjs)
echo "$seen"
[[ $seen == *"clicked: same-site, no purpose"*"rule: none, prefetch" ]] || {
  echo "The behaviour has changed." >&2
  exit 1
}
