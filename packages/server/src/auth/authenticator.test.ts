import { describe, expect, it } from "vitest";
import { Secret } from "../lib/secret.ts";
import { createAuthenticator } from "./authenticator.ts";
import { rolePermissions } from "./permissions.ts";
import type { Principal } from "./principal.ts";

const key = `brt_${"Kk9_-".repeat(8)}abc`;
const principal: Principal = {
  type: "user",
  id: "usr_1",
  name: "owner",
  orgId: "org_1",
  permissions: rolePermissions.owner,
  credential: { kind: "admin_key", id: "test", expiresAt: null },
};
const authenticator = createAuthenticator({ adminKey: new Secret(key), principal });

describe("createAuthenticator", () => {
  it.each([
    ["a bearer token", { authorization: `Bearer ${key}`, apiKey: null }],
    ["a bearer token, the scheme in lower case", { authorization: `bearer  ${key} `, apiKey: null }],
    ["X-API-Key", { authorization: null, apiKey: key }],
  ])("knows the key as %s", async (_, credentials) => {
    expect(await authenticator.authenticate(credentials)).toBe(principal);
  });

  it.each([
    ["nothing", null, null],
    ["two credentials, though both are right", `Bearer ${key}`, key],
    ["a right and a wrong one", `Bearer ${key}`, "wrong"],
    ["another scheme", `Basic ${key}`, null],
    ["no scheme", key, null],
    ["no key", "Bearer ", null],
    ["an empty key", null, ""],
    ["the header twice", `Bearer ${key}, Bearer ${key}`, null],
    ["two keys", `Bearer ${key} ${key}`, null],
    ["another key", `Bearer brt_${"x".repeat(43)}`, null],
    ["the key's beginning", `Bearer ${key.slice(0, -1)}`, null],
    ["the key and more", `Bearer ${key}x`, null],
    ["another case", `Bearer ${key.toUpperCase()}`, null],
    ["a space around it", null, ` ${key}`],
    ["a NUL after it", null, `${key}\u0000`],
    ["a huge one", null, key.repeat(10_000)],
  ])("refuses %s", async (_, authorization, apiKey) => {
    const error = await authenticator
      .authenticate({ authorization, apiKey })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "unauthenticated",
      message: expect.stringContaining("Authorization: Bearer"),
    });
    expect(String(error)).not.toContain(key);
  });
});
