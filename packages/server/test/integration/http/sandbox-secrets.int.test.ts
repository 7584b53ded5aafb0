import { sandboxSecret } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { rolePermissions } from "../../../src/auth/permissions.ts";
import { openSandboxSecret } from "../../../src/auth/sandbox-secrets.ts";
import { addDataKeys, resealSecrets } from "../../../src/auth/vault-rotation.ts";
import { stranger, useApi } from "../../support/http/api.ts";

const canary = "CANARY_sandbox_5521aa";
const body = { value: canary, hosts: ["api.example.com", "*.example.org"] };

describe("/sandbox-secrets", () => {
  const start = useApi();

  it("keeps secrets that nobody can read again, with where they may be sent", async () => {
    const api = await start();
    const { store, vault } = api.operations;
    const open = () => openSandboxSecret({ store, vault }, { orgId: api.harness.orgId, name: "github" });
    expect(await open()).toBeNull();
    const saved = await api.put("/sandbox-secrets/github", body);
    expect(saved.json(sandboxSecret)).toMatchObject({ name: "github" });
    const listed = await api.get("/sandbox-secrets");
    expect(listed.json()).toMatchObject({ items: [{ name: "github" }], next: null });
    expect(saved.text + listed.text).not.toContain("CANARY");
    const first = await open();
    expect([first?.value.reveal(), first?.hosts]).toEqual([canary, body.hosts]);
    // Placeholders say nothing, differ by use, stay until the secret is written again, and are new then.
    const placeholder = first?.placeholder("org/usr") ?? "";
    expect(placeholder).toMatch(/^berth_secret_[A-Za-z0-9_-]{32}$/);
    expect(first?.placeholder("org/other")).not.toBe(placeholder);
    expect((await open())?.placeholder("org/usr")).toBe(placeholder);
    await api.put("/sandbox-secrets/github", body);
    expect((await open())?.placeholder("org/usr")).not.toBe(placeholder);
    // Rotated with the other secrets of the organization.
    const rotating = { store, vault, signal: new AbortController().signal };
    await addDataKeys(rotating);
    expect((await resealSecrets(rotating)).done).toBe(1);
    expect((await open())?.value.reveal()).toBe(canary);
    expect((await api.delete("/sandbox-secrets/github")).status).toBe(204);
    expect(await open()).toBeNull();
    const gone = await api.delete("/sandbox-secrets/github");
    expect(gone.problem()).toMatchObject({ status: 404, code: "sandbox_secret_not_found" });
  });

  it("are refused when they could not be sent in a header, or say nowhere to go", async () => {
    const api = await start();
    const bodies: readonly object[] = [
      {},
      { value: canary },
      { ...body, value: "short" },
      { ...body, value: "with a space in it" },
      { ...body, value: "line\r\nX-Other: 1" },
      { ...body, hosts: [] },
      { ...body, hosts: ["*"] },
      { ...body, hosts: ["http://api.example.com"] },
      { ...body, hosts: ["API.example.com"] },
      { ...body, extra: 1 },
    ];
    for (const one of bodies) {
      const refused = await api.put("/sandbox-secrets/github", one);
      expect([one, refused.problem().status]).toEqual([one, 422]);
      expect(refused.text).not.toContain("CANARY");
    }
    expect((await api.put("/sandbox-secrets/NOT%20a%20name", body)).status).toBe(404);
    expect((await api.get("/sandbox-secrets")).json()).toMatchObject({ items: [] });
  });

  it("are a hundred at most, and one of them may still be written again", async () => {
    const api = await start();
    for (let at = 0; at < 100; at++)
      expect((await api.put(`/sandbox-secrets/s${at}`, body)).status).toBe(200);
    expect((await api.put("/sandbox-secrets/more", body)).problem().code).toBe("too_many_sandbox_secrets");
    expect((await api.put("/sandbox-secrets/s7", body)).status).toBe(200);
  });

  it("I10: are nobody's in another organization, and not for members", async () => {
    const api = await start();
    await api.put("/sandbox-secrets/github", body);
    const fetch = api.appFor(stranger());
    expect((await api.get("/sandbox-secrets", { fetch })).json()).toEqual({ items: [], next: null });
    expect((await api.delete("/sandbox-secrets/github", { fetch })).status).toBe(404);
    const member = api.appFor({ ...api.principal, permissions: rolePermissions.member });
    for (const refused of [
      await api.get("/sandbox-secrets", { fetch: member }),
      await api.put("/sandbox-secrets/x", body, { fetch: member }),
      await api.delete("/sandbox-secrets/github", { fetch: member }),
    ])
      expect(refused.problem()).toMatchObject({ status: 403, code: "forbidden" });
    expect((await api.get("/sandbox-secrets")).json()).toMatchObject({ items: [{ name: "github" }] });
  });
});
