import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../../../src/cli/index.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { readHostAddress } from "../../../src/lib/host-address.ts";
import { newId } from "../../../src/lib/id.ts";
import { newKeyPair, readPrivateKey } from "../../../src/sandbox/protocol/keys.ts";
import { createRemote, type RemoteOptions } from "../../../src/sandbox/remote/remote.ts";
import { deployment, newLife, policy } from "../../../src/sandbox/sandbox-harness.conformance.ts";
import type { SandboxProvider } from "../../../src/sandbox/sandbox.ts";
import { createAuthority } from "../../support/network/certificates.ts";
import { type HostProcess, startHostProcess } from "../../support/sandbox/host-process.ts";

describe("berth sandbox-host", () => {
  let folder: string;
  let privateKey: string;
  const hosts: HostProcess[] = [];
  const providers: SandboxProvider[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-hosts-"));
    const pair = newKeyPair();
    privateKey = pair.privateKey;
    await writeFile(join(folder, "host.pub.pem"), pair.publicKey);
  });
  afterEach(async () => {
    for (const provider of providers.splice(0)) await provider.close();
    for (const host of hosts.splice(0)) await host.end("SIGKILL");
    await leftovers();
    await rm(folder, { recursive: true, force: true });
  });

  /** What a killed host could not clean up itself is cleaned up by the next one. */
  async function leftovers(): Promise<void> {
    for (const name of await readdir(folder)) {
      if (!name.startsWith("data-")) continue;
      const host = await startHostProcess(argumentsOf(name.slice(5)));
      const provider = await remote({ [name.slice(5)]: host });
      await provider.sweep(name.slice(5), deployment);
      for (const id of await provider.workspaces.list(name.slice(5))) {
        await provider.workspaces.remove({ id, host: name.slice(5) });
      }
      await provider.close();
      await host.end("SIGTERM");
    }
  }

  const argumentsOf = (name: string) => [
    "--data",
    join(folder, `data-${name}`),
    "--sandbox-host-name",
    name,
    "--sandbox-host-trust",
    join(folder, "host.pub.pem"),
  ];
  async function start(name: string, ...more: string[]): Promise<HostProcess> {
    const host = await startHostProcess([...argumentsOf(name), ...more]);
    hosts.push(host);
    return host;
  }
  async function remote(
    named: Readonly<Record<string, Pick<HostProcess, "url">>>,
    options: Partial<RemoteOptions> = {},
  ): Promise<SandboxProvider> {
    const provider = createRemote({
      hosts: Object.entries(named).map(([name, { url }]) => readHostAddress(`${name}=${url}`)),
      tokens: await readPrivateKey(privateKey),
      deployment,
      clock: systemClock,
      heartbeatMs: 200,
      ...options,
    });
    providers.push(provider);
    return provider;
  }
  async function make(provider: SandboxProvider, host: string) {
    const workspaceId = newId("workspace");
    await provider.workspaces.create({ id: workspaceId, host }, policy.limits);
    const ref = { id: newId("sandbox"), host };
    const life = newLife();
    await provider.create(ref, { template: "test", policy, workspaceId }, life);
    return { ref, life, workspaceId, sandbox: await provider.connect(ref) };
  }

  it("serves from two machines, and goes on with one when the other is killed", async () => {
    const [a, b] = [await start("a"), await start("b")];
    const provider = await remote({ a, b });
    expect(await provider.hosts()).toMatchObject([
      { name: "a", healthy: true, draining: false, live: 0 },
      { name: "b", healthy: true, draining: false, live: 0 },
    ]);
    expect(await provider.probe()).toMatchObject({ isolation: "namespace" });
    const onA = await make(provider, "a");
    const onB = await make(provider, "b");
    const running = onA.sandbox.exec({
      command: "echo begun; sleep 60",
      timeoutMs: 60_000,
      onOutput: () => a.end("SIGKILL"),
    });
    expect((await running).reason).toBe("lost");
    await expect
      .poll(async () => (await provider.hosts()).map(({ healthy }) => healthy), { timeout: 15_000 })
      .toEqual([false, true]);
    await expect(provider.list("a", deployment)).rejects.toMatchObject({ retryable: true });
    expect((await provider.list("b", deployment)).items.map(({ id }) => id)).toEqual([onB.ref.id]);
    expect((await onB.sandbox.exec({ command: "echo lives", timeoutMs: 10_000 })).output).toBe("lives\n");
    await onA.sandbox.health().catch(() => undefined);

    // The same name and data again: the sandbox is gone, its workspace is there, and nothing of it runs.
    const again = await start("a");
    const next = await remote({ a: again, b });
    await next.sweep("a", deployment);
    expect(await next.list("a", deployment)).toEqual({ items: [], unreadable: 0 });
    expect(await next.workspaces.list("a")).toEqual([onA.workspaceId]);
    await expect(next.connect(onA.ref)).rejects.toMatchObject({ code: "sandbox_not_found" });
  });

  it("takes no new ones while it drains, serves workspaces, and ends when nothing is left", async () => {
    const a = await start("a", "--drain-timeout", "1m");
    const provider = await remote({ a });
    const { ref, life, sandbox, workspaceId } = await make(provider, "a");
    process.kill(a.pid, "SIGTERM");
    await expect.poll(async () => (await provider.hosts())[0]?.draining).toBe(true);
    const spec = { template: "test", policy };
    await expect(provider.create({ id: newId("sandbox"), host: "a" }, spec, newLife())).rejects.toMatchObject(
      {
        code: "sandbox_capacity",
        retryable: true,
      },
    );
    expect((await sandbox.exec({ command: "echo lives", timeoutMs: 10_000 })).output).toBe("lives\n");
    await provider.destroy(ref, { incarnation: life.incarnation, reason: "test" });
    const files = await provider.workspaces.open({ id: workspaceId, host: "a" });
    await files?.write("kept", Buffer.from("text"));
    expect(Buffer.from((await files?.read("kept")) ?? []).toString()).toBe("text");
    await provider.workspaces.remove({ id: workspaceId, host: "a" });
    expect(await a.exited).toEqual({ code: 0, signal: null });
    expect(a.written()).toContain("Drained: no sandbox and no workspace is left here.");
  });

  it("ends at the drain timeout with what is left", async () => {
    const a = await start("a", "--drain-timeout", "1s");
    const provider = await remote({ a });
    await make(provider, "a");
    process.kill(a.pid, "SIGTERM");
    expect(await a.exited).toEqual({ code: 0, signal: null });
    expect(a.written()).toContain("Sandboxes that end now: 1.");
    expect(a.written()).toContain(`Workspaces that were not moved and stay in ${join(folder, "data-a")}: 1.`);
  });

  it("lets in over TLS only who has a certificate of its authority, and is trusted only by its own", async () => {
    const authority = await createAuthority("hosts");
    const [server, client, stranger] = [
      await authority.issue("host", { names: [{ type: "ip", value: "127.0.0.1" }] }),
      await authority.issue("server"),
      await (await createAuthority("strangers")).issue("server"),
    ];
    for (const [name, text] of Object.entries({
      "ca.pem": authority.cert,
      "tls.pem": server.cert,
      "tls.key": server.key,
    })) {
      await writeFile(join(folder, name), text);
    }
    const file = (name: string) => join(folder, name);
    const a = await start(
      "a",
      "--tls-cert",
      file("tls.pem"),
      "--tls-key",
      file("tls.key"),
      "--tls-client-ca",
      file("ca.pem"),
      "--tls-client-auth",
      "required",
    );
    expect(a.url).toMatch(/^https:/);
    const ca = authority.cert;
    const good = await remote({ a }, { tls: { ca, cert: client.cert, key: client.key } });
    expect(await good.hosts()).toMatchObject([{ healthy: true }]);
    const { sandbox } = await make(good, "a");
    expect((await sandbox.exec({ command: "echo in", timeoutMs: 10_000 })).output).toBe("in\n");
    await expect(sandbox.openPort(5_999)).rejects.toMatchObject({ code: "port_refused" });
    for (const tls of [
      { ca },
      { ca, cert: stranger.cert, key: stranger.key },
      { cert: client.cert, key: client.key },
    ]) {
      const bad = await remote({ a }, { tls });
      expect(await bad.hosts()).toMatchObject([{ healthy: false, problem: expect.any(String) }]);
    }
  });

  it("takes new TLS files on SIGHUP, without ending what runs, and lives on when they do not work", async () => {
    const [old, next] = [await createAuthority("old hosts"), await createAuthority("new hosts")];
    const write = async (authority: typeof old) => {
      const issued = await authority.issue("host", { names: [{ type: "ip", value: "127.0.0.1" }] });
      await writeFile(join(folder, "tls.pem"), issued.cert);
      await writeFile(join(folder, "tls.key"), issued.key);
    };
    await write(old);
    const a = await start("a", "--tls-cert", join(folder, "tls.pem"), "--tls-key", join(folder, "tls.key"));
    const before = await remote({ a }, { tls: { ca: old.cert } });
    const { sandbox } = await make(before, "a");
    const running = sandbox.exec({ command: "sleep 3; echo whole", timeoutMs: 20_000 });
    await write(next);
    expect(await (await remote({ a }, { tls: { ca: next.cert } })).hosts()).toMatchObject([
      { healthy: false },
    ]);
    process.kill(a.pid, "SIGHUP");
    await expect.poll(() => a.written()).toContain("The TLS files were read again.");
    const after = await remote({ a }, { tls: { ca: next.cert } });
    expect(await after.hosts()).toMatchObject([{ healthy: true }]);
    expect((await running).output).toBe("whole\n");
    await writeFile(join(folder, "tls.pem"), "broken");
    process.kill(a.pid, "SIGHUP");
    await expect.poll(() => a.written()).toContain("the old ones stay in use");
    expect(await (await remote({ a }, { tls: { ca: next.cert } })).hosts()).toMatchObject([
      { healthy: true },
    ]);
  });

  it("does not take tokens of servers that it does not trust, nor for another host", async () => {
    const a = await start("a");
    const stranger = await remote({ a }, { tokens: await readPrivateKey(newKeyPair().privateKey) });
    expect(await stranger.hosts()).toMatchObject([
      { healthy: false, problem: expect.stringContaining("tokens") },
    ]);
    const misnamed = await remote({ b: a });
    expect(await misnamed.hosts()).toMatchObject([{ name: "b", healthy: false }]);
    await expect.poll(() => a.written()).toContain("a token was not taken");
  });

  it("refuses to serve what is not safe", async () => {
    const keys = [join(folder, "host.pub.pem"), join(folder, "another.pub.pem")];
    await writeFile(keys[1] ?? "", newKeyPair().publicKey);
    const refusals: readonly (readonly [string[], string])[] = [
      [["--data", join(folder, "x"), "--sandbox-host-trust", keys.join(",")], "PATH@DEPLOYMENT"],
      [["--data", join(folder, "x")], "--sandbox-host-trust"],
      [[...argumentsOf("a"), "--host", "0.0.0.0"], "--tls-cert"],
      [[...argumentsOf("a"), "--sandbox", "none"], "leave that out"],
      [[...argumentsOf("a"), "--sandbox-rootfs", "/nonexistent"], ""],
    ];
    for (const [args, advice] of refusals) {
      const failed = startHostProcess(args).then(async (host) => {
        hosts.push(host);
        return host.written();
      });
      await expect(failed).rejects.toThrow(advice);
    }
    expect((await readdir(folder)).filter((name) => name === "x")).toEqual([]);
  });

  it("makes a pair of keys, and never writes over one", async () => {
    const written: string[] = [];
    const sink = { write: (text: string) => written.push(text), on: () => undefined, off: () => undefined };
    const io = { stdout: sink, stderr: sink, env: {}, onInterrupt: () => () => undefined } as never;
    const keys = ["sandbox-host", "keys", "--out", join(folder, "pair")];
    expect(await runCli(keys, io)).toBe(0);
    expect(await readFile(join(folder, "pair.key.pem"), "utf8")).toContain("PRIVATE KEY");
    expect(await runCli(keys, io)).toBe(1);
    expect(written.join("")).not.toContain("PRIVATE");
  });
});
