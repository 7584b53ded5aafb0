import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import { createRemoteRig, type RemoteRig } from "../../../test/support/sandbox/remote-rig.ts";
import { readHostAddress } from "../../lib/host-address.ts";
import { systemClock } from "../../lib/clock.ts";
import { newKeyPair, readPrivateKey, readPublicKey } from "../protocol/keys.ts";
import { createRemote } from "../remote/remote.ts";
import { makeSandbox } from "../sandbox-harness.conformance.ts";
import type { SandboxProvider } from "../sandbox.ts";
import { createUsedTokens } from "./used-tokens.ts";
import { createTokenVerifier } from "./verify-token.ts";

const [own, foreign] = ["deployment-a", "deployment-b"];

describe("keys of several servers", () => {
  const pairs = [newKeyPair(), newKeyPair()] as const;
  const refused: string[] = [];
  let rig: RemoteRig;
  const providers: SandboxProvider[] = [];

  async function start(bound: readonly (string | null)[]): Promise<void> {
    const keys = await Promise.all(
      pairs.map(async ({ publicKey }, at) => ({
        ...(await readPublicKey(publicKey)),
        deployment: bound[at] ?? null,
      })),
    );
    const verify = createTokenVerifier({
      keys,
      name: "host-a",
      clock: systemClock,
      refused: (why) => void refused.push(why),
    });
    const tokens = await readPrivateKey(pairs[0].privateKey);
    rig = await createRemoteRig({ host: { verify }, remote: { tokens } });
  }
  /** A server with the second key that says to be a deployment. */
  async function other(deployment: string): Promise<SandboxProvider> {
    const provider = createRemote({
      hosts: [readHostAddress(`host-a=${rig.url}`)],
      tokens: await readPrivateKey(pairs[1].privateKey),
      deployment,
      clock: systemClock,
      isolated: false,
    });
    providers.push(provider);
    return provider;
  }
  beforeEach(() => void refused.splice(0));
  afterEach(async () => {
    await Promise.all(providers.splice(0).map((provider) => provider.close()));
    await rig.close();
  });

  it("SCH-05 act as their own deployment and as no other", async () => {
    await start([own, foreign]);
    const { ref } = await makeSandbox(rig);
    const liar = await other(own);
    await expect(liar.get(ref)).rejects.toMatchObject({ code: "sandbox_host_error" });
    await expect(liar.list("host-a", own)).rejects.toMatchObject({ code: "sandbox_host_error" });
    expect(refused).toContain(`its key is trusted for another deployment than ${own}`);
    const honest = await other(foreign);
    expect(await honest.list("host-a", foreign)).toEqual({ items: [], unreadable: 0 });
    expect(await honest.get(ref)).toBeNull();
  });

  it("could act as each other if they were bound to none", async () => {
    await start([null, null]);
    const { ref } = await makeSandbox(rig);
    expect(await (await other(own)).get(ref)).not.toBeNull();
  });

  it("may be two of one server, and are the same server's after restores", async () => {
    await start([own, own]);
    const { ref } = await makeSandbox(rig);
    expect(await (await other(own)).get(ref)).not.toBeNull();
    expect(await (await other(`${own}-2`)).get(ref)).toBeNull();
    await expect((await other(`${own}-x`)).get(ref)).rejects.toMatchObject({ code: "sandbox_host_error" });
  });
});

it("remembers used tokens of each key by itself: none fills up another's room", () => {
  const clock = createManualClock();
  const used = createUsedTokens(clock, 3);
  const iat = Math.floor(clock.now() / 1_000);
  const use = (key: string, jti: string) => used.use({ key, sub: own, jti, iat, exp: iat + 60 });
  for (const jti of ["a", "b", "c"]) expect(use("one", jti)).toBe(true);
  expect(() => use("one", "d")).toThrow(expect.objectContaining({ code: "sandbox_unavailable" }));
  expect(use("one", "a")).toBe(false);
  expect(use("two", "a")).toBe(true);
  expect(use("two", "a")).toBe(false);
});
