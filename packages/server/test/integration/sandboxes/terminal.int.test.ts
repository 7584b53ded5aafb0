import type { SandboxInfo, Ticket } from "@berth/contract";
import { describe, expect, it, vi } from "vitest";
import type { Principal } from "../../../src/auth/principal.ts";
import { newId } from "../../../src/lib/id.ts";
import { apiKey, start, useNetServer } from "../../support/network/net-server.ts";
import { openTerminalSocket } from "../../support/sandbox/terminal-client.ts";

const open = useNetServer();
const key = { "x-api-key": apiKey };

async function setUp() {
  const net = await open({ api: { plain: {} } });
  const { api } = net;
  await api.agent();
  const session = await api.session();
  const box = (await api.post("/sandboxes", { sessionId: session.id })).json<SandboxInfo>();
  const terminal = (query = "", id = box.id, url = net.url) =>
    openTerminalSocket(`${url}/api/v1/sandboxes/${id}/terminal${query}`, key);
  return { net, api, session, box, terminal, plain: api.plain.plain(box.id) };
}

describe("a terminal", () => {
  it("carries bytes both ways, has a size, and tells how it ended", async () => {
    const { terminal, plain, api } = await setUp();
    const shell = terminal("?columns=97&rows=31");
    await shell.until("open");
    shell.type("stty size; echo $TERM; tty\n");
    await shell.shows("31 97");
    await shell.shows("xterm-256color");
    await shell.shows("/dev/pts/");
    shell.resize(120, 40);
    await vi.waitFor(() => expect(plain.sizes).toEqual([{ columns: 120, rows: 40 }]), { timeout: 10_000 });
    shell.type("exit 7\n");
    expect(await shell.until("exit")).toMatchObject({ code: 7, reason: "exit" });
    expect(await shell.closed).toBe(1000);
    const { items } = await api.operations.store
      .org(api.principal.orgId)
      .audit.list({ limit: 5, action: "sandbox.terminal_opened" });
    expect(items).toHaveLength(1);
  });

  it("ends its process when its socket closes, unless it is to be kept", async () => {
    const { terminal, plain } = await setUp();
    const dying = terminal();
    await dying.until("open");
    await vi.waitFor(() => expect(plain.running).toBe(1), { timeout: 10_000 });
    dying.socket.terminate();
    await vi.waitFor(() => expect(plain.running).toBe(0), { timeout: 5_000 });

    const kept = terminal("?keep=true");
    const { process } = await kept.until("open");
    kept.type("echo first-$((40+2))\n");
    await kept.shows("first-42");
    const seen = Buffer.byteLength(kept.text());
    kept.socket.close();
    await kept.closed;
    expect(plain.running).toBe(1);
    const again = terminal(`?process=${process}&from=${seen}&columns=100&rows=20`);
    await again.until("open");
    again.type("echo second-$((40+3)); exit\n");
    await again.shows("second-43");
    expect(again.text()).not.toContain("first-42");
    expect(await again.closed).toBe(1000);
  });

  it("opens with a ticket, and with nothing else in an address", async () => {
    const { api, net, box } = await setUp();
    const { port } = net;
    const base = `http://127.0.0.1:${port}/api/v1/sandboxes/${box.id}/terminal`;
    const reply = await fetch(`${net.url}/api/v1/tickets`, {
      method: "POST",
      headers: { ...key, "content-type": "application/json" },
      body: "{}",
    });
    const { ticket } = (await reply.json()) as Ticket;
    const shell = openTerminalSocket(`${base}?ticket=${ticket}`);
    await shell.until("open");
    shell.socket.close();
    expect(await openTerminalSocket(`${base}?ticket=${ticket}`).closed).toBe(4401);
    expect(await openTerminalSocket(base).closed).toBe(4401);
    for (const query of ["?columns=0", "?rows=1001", "?colour=1", "?from=-1", "?process=../x"])
      expect(await openTerminalSocket(`${base}${query}`, key).closed).toBe(4422);
    expect(api.plain.plain(box.id).running).toBeLessThanOrEqual(1);
  });

  it("is refused to who may not use the sandbox as if there were none", async () => {
    const { api, terminal, box } = await setUp();
    const unknown = terminal("", newId("sandbox"));
    expect(await unknown.closed).toBe(4404);
    const credential = { kind: "api_key", id: "key_o", expiresAt: null } as const;
    const principal: Partial<Principal> = {
      id: "usr_other",
      permissions: new Set(["session:read", "session:write"]),
      credential,
    };
    const theirs = await start(api, { principal });
    const refused = terminal("", box.id, theirs.server.url);
    expect(await refused.closed).toBe(4404);
    expect(await refused.until("error")).toMatchObject({ code: "sandbox_not_found" });
    await theirs.end();
    const reader = await start(api, { principal: { permissions: new Set(["session:read"]) } });
    expect(await terminal("", box.id, reader.server.url).closed).toBe(4403);
    await reader.end();
  });

  it("ends within seconds when its user may use the sandbox no more, and with the sandbox", async () => {
    const { api, session, terminal, box, plain } = await setUp();
    await api.patch(`/sessions/${session.id}`, { visibility: "org" });
    const permissions = new Set(["session:read", "session:write"] as const);
    const credential = { kind: "api_key", id: "key_o", expiresAt: null } as const;
    const theirs = await start(api, { principal: { id: "usr_other", permissions, credential } });
    const guest = terminal("", box.id, theirs.server.url);
    await guest.until("open");
    await api.patch(`/sessions/${session.id}`, { visibility: "private" });
    expect(await guest.closed).toBe(4404);
    await vi.waitFor(() => expect(plain.running).toBe(0), { timeout: 5_000 });
    await theirs.end();

    const own = terminal();
    await own.until("open");
    await api.delete(`/sandboxes/${box.id}`);
    await own.closed;
    expect(own.frames.at(-1)?.type).not.toBe("open");
  });

  it("keeps what its client does not read out of the server's memory, and loses none of it", async () => {
    const { net, terminal } = await setUp();
    const count = 8_000_000;
    const flood = terminal(`?command=${encodeURIComponent(`head -c ${count} /dev/zero | tr '\\0' x`)}`);
    await flood.until("open");
    flood.socket.pause();
    const unsent = () => [...net.sockets].reduce((sum, socket) => sum + socket.writableLength, 0);
    await vi.waitFor(() => expect(unsent()).toBeGreaterThan(0), { timeout: 10_000 });
    let most = 0;
    for (let round = 0; round < 20; round += 1) {
      most = Math.max(most, unsent());
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(most).toBeLessThan(2_000_000);
    flood.socket.resume();
    expect(await flood.closed).toBe(1000);
    expect(flood.text().length).toBe(count);
  });

  it("takes no frame that is none", async () => {
    const { terminal, plain } = await setUp();
    for (const frame of ["{}", "not json", '{"type":"resize","columns":0,"rows":1}', '{"type":"exec"}']) {
      const shell = terminal();
      await shell.until("open");
      shell.socket.send(frame);
      expect(await shell.until("error")).toMatchObject({ type: "error" });
      expect(await shell.closed).toBeGreaterThanOrEqual(4400);
    }
    await vi.waitFor(() => expect(plain.running).toBe(0), { timeout: 5_000 });
  });
});
