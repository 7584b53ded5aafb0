import { describe, expect, it } from "vitest";
import { useTwoOrgs } from "../../support/security/world.ts";

const evil = 'x\r\n{"level":"info","msg":"forged"}\u001b[2J\u202e\u2028\u0000","action":"forged';

describe("AUD-01: whatever a caller sends", { timeout: 60_000 }, () => {
  const world = useTwoOrgs();

  it("stays within its own entry of the audit log, escaped and cut", async () => {
    const { a, call, store } = world();
    const owner = a.people.owner.key;
    const tail = encodeURIComponent(`${evil}${"y".repeat(2_000)}`);
    await call(owner, { method: "GET", path: `/api/v1/agents/${tail}` });
    const body = { name: "evil-agent", model: `test/${"m".repeat(100)}`, description: evil.repeat(20) };
    await call(owner, { method: "POST", path: "/api/v1/agents", body });
    const { text } = await call(owner, { method: "GET", path: "/api/v1/audit-log/export" });
    const lines = text.trimEnd().split("\n");
    const entries = lines.map(
      (line) => JSON.parse(line) as { action: string; target: { id: string } | null },
    );
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e]/);
    expect(entries.filter(({ action }) => action === "forged")).toEqual([]);
    const refused = entries.findLast(({ action }) => action === "access.refused");
    expect(refused?.target?.id.length).toBeLessThan(1_500);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(10_000);
    expect(await store.org(a.orgId).audit.chain()).toMatchObject({ cut: null });
  });

  it("stays within its own line of the log, escaped and cut", async () => {
    const { a, call, logs } = world();
    const before = logs().length;
    const headers = { "user-agent": "u".repeat(8_000), "x-request-id": "r".repeat(4_000) };
    await call(a.people.owner.key, {
      method: "GET",
      path: `/api/v1/agents/${encodeURIComponent(evil)}`,
      headers,
    });
    await call(a.people.owner.key, { method: "GET", path: `/${encodeURIComponent(evil)}` });
    const text = logs().slice(before);
    const lines = text.trimEnd().split("\n");
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty("level");
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e]/);
    expect(lines.some((line) => (JSON.parse(line) as { msg: string }).msg === "forged")).toBe(false);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(20_000);
  });

  it("is refused when a header is larger than headers may be: a user agent of 1 MB", async () => {
    const { a, call, logs } = world();
    const before = logs().length;
    const headers = { "user-agent": "u".repeat(1_000_000) };
    const { status } = await call(a.people.owner.key, { method: "GET", path: "/api/v1/me", headers }).catch(
      () => ({
        status: 431,
      }),
    );
    expect(status).toBe(431);
    expect(logs().length - before).toBeLessThan(20_000);
  });
});
