#!/usr/bin/env bash
# node-jose 2.2.0 refuses a whole JWK set if one of its keys is an Ed25519 key.
#
# Seen: a set with an ES256 key verifies a token of that key. With an Ed25519 key (RFC 8037) beside it the
# set is not loaded, although the token names the other key by its `kid`. RFC 7517, 5, asks readers to
# ignore keys whose type they do not understand. A provider that starts to publish such a key so breaks
# clients that never use it.
# Output seen:
#   ES256 alone: verified
#   ES256 beside Ed25519: unsupported key type
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

npm init --yes >/dev/null
npm install --silent --no-audit --no-fund node-jose@2.2.0

cat >finding.mjs <<'JS'
import { generateKeyPairSync, sign } from "node:crypto";
import jose from "node-jose";

const pair = (kind, options) => generateKeyPairSync(kind, options);
const curve = pair("ec", { namedCurve: "P-256" });
const edwards = pair("ed25519");
const published = (key, members) => ({ ...key.export({ format: "jwk" }), use: "sig", ...members });
const es256 = published(curve.publicKey, { kid: "first", alg: "ES256" });
const ed25519 = published(edwards.publicKey, { kid: "second", alg: "EdDSA" });

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const signed = `${encoded({ alg: "ES256", kid: "first" })}.${encoded({ sub: "ada" })}`;
const key = { key: curve.privateKey, dsaEncoding: "ieee-p1363" };
const token = `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;

for (const [name, keys] of [["ES256 alone", [es256]], ["ES256 beside Ed25519", [es256, ed25519]]]) {
  const verified = jose.JWK.asKeyStore({ keys }).then((set) => jose.JWS.createVerify(set).verify(token));
  console.log(`${name}: ${await verified.then(() => "verified", (error) => error.message)}`);
}
JS
seen=$(node finding.mjs)
echo "$seen"
[[ $seen == $'ES256 alone: verified\nES256 beside Ed25519: unsupported key type' ]] || {
  echo "The behaviour has changed." >&2
  exit 1
}
