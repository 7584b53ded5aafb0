import { describe, expect, it } from "vitest";
import {
  grantable,
  operatorPermissions,
  permissions,
  requirePermission,
  type Role,
  rolePermissions,
} from "./permissions.ts";

const ascending: readonly Role[] = ["viewer", "member", "admin", "owner"];

describe("rolePermissions", () => {
  it("gives each role more than the one below it", () => {
    for (const [i, role] of ascending.slice(1).entries()) {
      const below = rolePermissions[ascending[i] ?? "viewer"];
      expect([...below].filter((permission) => !rolePermissions[role].has(permission))).toEqual([]);
      expect(rolePermissions[role].size).toBeGreaterThan(below.size);
    }
  });

  it("gives owners all that can be granted, the operator everything and viewers nothing but reading", () => {
    expect([...rolePermissions.owner]).toEqual([...grantable]);
    expect([...operatorPermissions]).toEqual([...permissions]);
    expect([...rolePermissions.viewer].filter((permission) => !permission.endsWith(":read"))).toEqual([]);
    expect(rolePermissions.viewer.has("approval:decide")).toBe(false);
  });

  it("lets only owners act for others and take or erase data, and no role manage the server", () => {
    for (const permission of ["session:act-as", "data:export", "data:erase"] as const) {
      expect(ascending.filter((role) => rolePermissions[role].has(permission))).toEqual(["owner"]);
    }
    for (const permission of ["runtime:manage", "server:manage"] as const) {
      expect(ascending.filter((role) => rolePermissions[role].has(permission))).toEqual([]);
    }
  });

  it("names each permission once, as resource:action", () => {
    expect(new Set(permissions).size).toBe(permissions.length);
    expect(permissions.filter((permission) => !/^[a-z-]+:[a-z-]+$/.test(permission))).toEqual([]);
  });
});

describe("requirePermission", () => {
  it("lets pass who may, and tells who may not what is missing", () => {
    const viewer = { permissions: rolePermissions.viewer };
    expect(() => requirePermission(viewer, "session:read")).not.toThrow();
    expect(() => requirePermission(viewer, "session:write")).toThrow(
      expect.objectContaining({
        code: "forbidden",
        details: { permission: "session:write" },
        retryable: false,
      }),
    );
  });
});
