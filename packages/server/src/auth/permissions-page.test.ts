import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { operatorAbroad, permissions, rolePermissions } from "./permissions.ts";

const page = readFileSync(new URL("../../../../docs/operate/access.md", import.meta.url), "utf8");

describe("docs/operate/access.md", () => {
  it("says of each role what the code says", () => {
    const { owner, admin, member, viewer } = rolePermissions;
    const columns = [owner, admin, member, viewer, operatorAbroad];
    const rows = permissions
      .filter((permission) => columns.some((column) => column.has(permission)))
      .map((permission) => [permission, ...columns.map((column) => (column.has(permission) ? "yes" : ""))]);
    const written = [...page.matchAll(/^\| `([a-z-]+:[a-z-]+)` \|(.*)\|$/gm)].map(([, permission, cells]) => [
      permission,
      ...(cells ?? "").split("|").map((cell) => cell.trim()),
    ]);
    expect(written).toEqual(rows);
  });
});
