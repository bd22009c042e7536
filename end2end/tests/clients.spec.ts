// Real clients, none of them ours: openid-client and jose ask the running server for tokens, and
// verify what they get with the published keys.
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@playwright/test";
import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify } from "jose";
import * as client from "openid-client";
import { addClient, operator } from "../fixtures/operator.ts";
import { baseURL, data, root } from "../fixtures/server.ts";

const audience = "https://api.example";
const service = ["--name", "Orders", "--grant-type", "client_credentials", "--scope", "orders:read orders:write", "--audience", audience];

function discover(id: string, authentication: client.ClientAuth): Promise<client.Configuration> {
  // The issuer of the tests is this machine, without TLS.
  return client.discovery(new URL(baseURL), id, undefined, authentication, { execute: [client.allowInsecureRequests] });
}

function verify(token: string) {
  const keys = createRemoteJWKSet(new URL("/oauth2/jwks", baseURL));
  return jwtVerify(token, keys, { issuer: baseURL, audience, typ: "at+jwt", requiredClaims: ["sub", "client_id", "jti", "exp", "iat"] });
}

for (const algorithm of ["ES256", "RS256", "EdDSA"]) {
  for (const way of [client.ClientSecretBasic, client.ClientSecretPost]) {
    test(`a secret buys a token, signed by ${algorithm} (${way.name})`, async () => {
      const { id, secret } = addClient([...service, "--algorithm", algorithm]);
      const configuration = await discover(id, way(secret));
      const tokens = await client.clientCredentialsGrant(configuration, { scope: "orders:read" });
      expect(tokens.scope).toBe("orders:read");
      expect(tokens.expiresIn()).toBeGreaterThan(290);
      const { payload, protectedHeader } = await verify(tokens.access_token);
      expect(protectedHeader.alg).toBe(algorithm);
      expect(payload.sub).toBe(id);
    });
  }
}

for (const algorithm of ["ES256", "EdDSA", "RS256"]) {
  test(`a client proves itself by a key of its own, ${algorithm}`, async () => {
    const pair = await generateKeyPair(algorithm, { extractable: true });
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: "one", alg: algorithm, use: "sig" };
    const file = join(data, `jwks-${algorithm}-${process.pid}.json`);
    writeFileSync(file, JSON.stringify({ keys: [jwk] }));
    const { id } = addClient([...service, "--jwks", file]);
    const configuration = await discover(id, client.PrivateKeyJwt({ key: pair.privateKey, kid: "one" }));
    // Twice: each assertion has a jti of its own.
    await client.clientCredentialsGrant(configuration);
    const tokens = await client.clientCredentialsGrant(configuration);
    const { payload } = await verify(tokens.access_token);
    expect(payload["client_id"]).toBe(id);
    expect(payload["scope"]).toBe("orders:read orders:write");
  });
}

test("a token can be asked about and given back", async () => {
  const { id, secret } = addClient(service);
  const configuration = await discover(id, client.ClientSecretBasic(secret));
  const { access_token } = await client.clientCredentialsGrant(configuration);
  expect(await client.tokenIntrospection(configuration, access_token)).toMatchObject({ active: true, sub: id });
  await client.tokenRevocation(configuration, access_token);
  expect(await client.tokenIntrospection(configuration, access_token)).toEqual({ active: false });
});

test("a wrong secret and a disabled client are told apart by nobody", async () => {
  const { id, secret } = addClient(service);
  operator(["client", "disable", id]);
  for (const [who, shown] of [[id, secret], [addClient(service).id, "cs_wrong"]] as const) {
    const configuration = await discover(who, client.ClientSecretBasic(shown));
    const refused = await client.clientCredentialsGrant(configuration).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Error);
    const { error, status } = refused as client.ResponseBodyError | client.WWWAuthenticateChallengeError as { error?: string; status: number };
    expect(status).toBe(401);
    expect([undefined, "invalid_client"]).toContain(error);
  }
});

test("a client that holds the keys takes up a new one", async () => {
  const { id, secret } = addClient(service);
  const configuration = await discover(id, client.ClientSecretBasic(secret));
  const keys = createRemoteJWKSet(new URL("/oauth2/jwks", baseURL), { cooldownDuration: 0 });
  const before = await client.clientCredentialsGrant(configuration);
  await jwtVerify(before.access_token, keys, { typ: "at+jwt" });
  operator(["keys", "rotate"]);
  // What was signed before is good; the new key is published, and signs later.
  const after = await client.clientCredentialsGrant(configuration);
  for (const token of [before.access_token, after.access_token]) {
    await jwtVerify(token, keys, { typ: "at+jwt" });
  }
  const published = (await (await fetch(new URL("/oauth2/jwks", baseURL))).json()) as { keys: unknown[] };
  expect(published.keys.length).toBeGreaterThan(1);
});

test("Authlib gets tokens in each way, and verifies them", async () => {
  const { id, secret } = addClient(service);
  const pair = await generateKeyPair("ES256", { extractable: true });
  const [publicFile, privateFile] = [join(data, `authlib-${process.pid}.json`), join(data, `authlib-${process.pid}.private.json`)];
  const named = { kid: "one", alg: "ES256" };
  writeFileSync(publicFile, JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), ...named }] }));
  writeFileSync(privateFile, JSON.stringify({ ...(await exportJWK(pair.privateKey)), ...named }));
  const signing = addClient([...service, "--jwks", publicFile]);
  const python = process.env["CLOAKROOM_PYTHON"] ?? join(root, "end2end/python/bin/python");
  const words = [join(root, "end2end/authlib/service.py"), `${baseURL}/.well-known/openid-configuration`, audience, id, secret, signing.id, privateFile];
  const { stdout } = await promisify(execFile)(python, words, { env: { AUTHLIB_INSECURE_TRANSPORT: "1" } });
  const good = { active: true, afterwards: false };
  expect(JSON.parse(stdout)).toEqual({
    client_secret_basic: good,
    client_secret_post: good,
    private_key_jwt: good,
    "wrong secret": "invalid_client",
  });
});
