#!/usr/bin/env bash
# Chromium 153.0.8010.0 maps the domain of an e-mail field to ASCII by another rule than that of a URL.
#
# Seen: `<input type=email>` replaces an international domain as it is typed, by the transitional mapping
# of UTS 46: ß becomes ss, and a zero width non-joiner is dropped. `new URL()` in the same browser keeps
# both (IDNA 2008). A form so sends another domain than its user typed, which may belong to another person.
# A text field with inputmode=email sends what was typed.
# Output seen: a@fass.example beside xn--fa-hia.example, and a@xn--mgba3gch31f.example beside
# xn--mgba3gch31f060k.example.
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
import { chromium } from "playwright-core";

const executablePath = await packed.executablePath();
const browser = await chromium.launch({ executablePath, args: packed.args, headless: true });
console.log(`Chromium ${browser.version()}`);
const page = await browser.newPage();
await page.setContent("<form><input type=email name=email><input type=text inputmode=email name=text></form>");
const expected = {
  "faß.example": ["a@fass.example", "xn--fa-hia.example"],
  "نامه\u200cای.example": ["a@xn--mgba3gch31f.example", "xn--mgba3gch31f060k.example"],
};
let changed = 0;
for (const [domain, [field, host]] of Object.entries(expected)) {
  await page.fill("[type=email]", `a@${domain}`);
  await page.fill("[type=text]", `a@${domain}`);
  const [sent, asText, ofUrl] = await page.evaluate((domain) => {
    const data = new FormData(document.forms[0]);
    return [data.get("email"), data.get("text"), new URL(`http://${domain}`).hostname];
  }, domain);
  console.log(`${domain}: the e-mail field sends ${sent}, a URL has ${ofUrl}`);
  if (sent !== field || ofUrl !== host || asText !== `a@${domain}`) changed = 1;
}
await browser.close();
process.exit(changed);
JS
node finding.mjs || { echo "✗ It is no longer as described." >&2; exit 1; }
