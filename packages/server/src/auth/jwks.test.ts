import { errors, exportJWK, generateKeyPair, type JWK } from "jose";
import { describe, expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { createKeySource, type KeySourceOptions } from "./jwks.ts";

const issuer = "https://idp.example";
const jwksUri = `${issuer}/keys`;
const token = { payload: "", signature: "" };

async function newJwk(kid: string): Promise<JWK> {
  return { ...(await exportJWK((await generateKeyPair("ES256", { extractable: true })).publicKey)), kid };
}

/** A provider whose answers are changed as the test goes on. */
async function open(options: Partial<KeySourceOptions> = {}) {
  const clock = createManualClock();
  const asked: string[] = [];
  const reported: unknown[] = [];
  const provider: { answers: Record<string, unknown>; down: boolean } = {
    answers: { [jwksUri]: { keys: [await newJwk("one")] } },
    down: false,
  };
  const source = createKeySource({
    issuer,
    jwksUri,
    clock,
    cooldownMs: 30_000,
    maxAgeMs: 600_000,
    fetch: async (input) => {
      const { url } = new Request(input);
      asked.push(url);
      if (provider.down) throw new TypeError("fetch failed");
      return Response.json(provider.answers[url] ?? {});
    },
    report: (error) => reported.push(error),
    ...options,
  });
  const find = async (kid: string) => source.key({ alg: "ES256", kid }, token);
  return { clock, asked, reported, provider, source, find };
}

describe("createKeySource", () => {
  it("asks once for many who want keys at once, and not again while it knows them", async () => {
    const { asked, find } = await open();
    await Promise.all(Array.from({ length: 20 }, () => find("one")));
    await find("one");
    expect(asked).toEqual([jwksUri]);
  });

  it("AUT-01: asks once per cooldown for keys that nobody has, and takes a new one then", async () => {
    const { asked, clock, provider, find } = await open();
    await find("one");
    await clock.advance(30_000);
    for (let i = 0; i < 50; i += 1) {
      await expect(find(`unknown-${i}`)).rejects.toBeInstanceOf(errors.JWKSNoMatchingKey);
    }
    expect(asked).toHaveLength(2);
    provider.answers[jwksUri] = { keys: [await newJwk("two")] };
    await expect(find("two")).rejects.toBeInstanceOf(errors.JWKSNoMatchingKey);
    await clock.advance(30_000);
    await find("two");
    await expect(find("one")).rejects.toBeInstanceOf(errors.JWKSNoMatchingKey);
    expect(asked).toHaveLength(3);
  });

  it("drops a key that was taken back when its keys are too old", async () => {
    const { clock, provider, find } = await open();
    await find("one");
    provider.answers[jwksUri] = { keys: [await newJwk("two")] };
    await clock.advance(599_999);
    await find("one");
    await clock.advance(1);
    await expect(find("one")).rejects.toBeInstanceOf(errors.JWKSNoMatchingKey);
  });

  it("goes on with what it knows while the provider is down, and not for ever", async () => {
    const { clock, provider, reported, find } = await open();
    await find("one");
    provider.down = true;
    await clock.advance(1_200_000);
    await find("one");
    expect(reported).toHaveLength(1);
    await clock.advance(2_400_000);
    await expect(find("one")).rejects.toMatchObject({
      code: "identity_provider_unavailable",
      retryable: true,
    });
  });

  it("tries again soon when it has no keys at all", async () => {
    const { clock, provider, asked, find } = await open();
    provider.down = true;
    for (let i = 0; i < 3; i += 1) {
      await expect(find("one")).rejects.toMatchObject({ code: "identity_provider_unavailable" });
    }
    expect(asked).toHaveLength(1);
    provider.down = false;
    await clock.advance(5_000);
    await find("one");
  });

  it("finds the keys by the discovery document, and believes none of another issuer", async () => {
    const discovery = `${issuer}/.well-known/openid-configuration`;
    const good = await open({ jwksUri: null });
    good.provider.answers[discovery] = { issuer, jwks_uri: jwksUri };
    await good.find("one");
    expect(good.asked).toEqual([discovery, jwksUri]);
    const bad = await open({ jwksUri: null });
    bad.provider.answers[discovery] = { issuer: "https://evil.example", jwks_uri: jwksUri };
    await expect(bad.find("one")).rejects.toMatchObject({ code: "identity_provider_unavailable" });
  });

  it("reads no endless document", async () => {
    const endless = new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(65_536)) });
    const { find, reported } = await open({ fetch: async () => new Response(endless) });
    await expect(find("one")).rejects.toMatchObject({ code: "identity_provider_unavailable" });
    expect(String(reported[0])).toContain("more than");
  });
});
