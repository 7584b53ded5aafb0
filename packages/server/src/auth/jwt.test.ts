import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { createJwtVerifier } from "./jwt.ts";

const issuer = {
  issuer: "https://idp.example",
  audience: ["berth"],
  jwksUri: "https://idp.example/jwks",
  algorithms: ["ES256"],
  requireNbf: true,
  clockToleranceMs: 5_000,
  jwksCooldownMs: 30_000,
  jwksMaxAgeMs: 600_000,
} as const;

it("tells the operator, and nobody else, why a token of a known issuer is not taken", async () => {
  const clock = createManualClock();
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: "ES256" }] };
  const told: string[] = [];
  const verifier = createJwtVerifier({
    issuers: [issuer],
    clock,
    fetch: () => Promise.resolve(Response.json(keys)),
    report: (error) => told.push(String(error)),
    refused: (from, why) => told.push(`${from}: ${why}`),
  });
  const seconds = Math.floor(clock.now() / 1_000);
  const sign = (claims: { readonly aud: string; readonly iss?: string; readonly iat?: number }) =>
    new SignJWT({ iss: issuer.issuer, sub: "u-1", nbf: seconds, exp: seconds + 60, ...claims })
      .setProtectedHeader({ alg: "ES256", kid: "k" })
      .sign(privateKey);

  expect(await verifier.verify(await sign({ aud: "berth" }))).toMatchObject({ claims: { sub: "u-1" } });
  expect(told).toEqual([]);
  expect(await verifier.verify(await sign({ aud: "other" }))).toBeNull();
  expect(await verifier.verify(await sign({ aud: "berth", iat: seconds + 600 }))).toBeNull();
  expect(await verifier.verify(await sign({ aud: "berth", iss: "https://elsewhere.example" }))).toBeNull();
  expect(told).toEqual([
    expect.stringMatching(/^https:\/\/idp\.example: .*"aud"/),
    "https://idp.example: iat lies in the future",
  ]);
  verifier.stop();
});
