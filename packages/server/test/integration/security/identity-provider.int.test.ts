import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type IdentityProvider, startIdentityProvider } from "../../support/identity/identity-provider.ts";
import { accessTokenFrom, robotRedirect } from "../../support/identity/tokens.ts";
import { useTwoOrgs } from "../../support/security/world.ts";

let idp: IdentityProvider;
const env: Record<string, string> = {};
beforeAll(async () => {
  const person = { sub: "ada", name: "Ada", email: "ada@alpha.example", claims: { org: "alpha" } };
  idp = await startIdentityProvider({ redirectUris: () => [robotRedirect], person });
  const issuer = { issuer: idp.issuer, audience: idp.audience, orgClaim: "org", provision: true };
  env["BERTH_JWT_ISSUERS"] = JSON.stringify([{ ...issuer, defaultRole: "member", jwksCooldown: "1s" }]);
});
afterAll(() => idp.close());
const world = useTwoOrgs({ env });

const me = async (token: string) => world().call(token, { method: "GET", path: "/api/v1/me" });

describe("tokens of an identity provider", () => {
  it("let a person in whom it names, as a member of the organization that it names", async () => {
    const seen = await me(await accessTokenFrom(idp));
    expect([seen.status, seen.text]).toEqual([200, expect.stringContaining(world().a.orgId)]);
  });
});
