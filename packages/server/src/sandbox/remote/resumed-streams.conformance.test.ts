import { once } from "node:events";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeBubblewrap } from "../../../test/support/sandbox/bubblewrap-rig.ts";
import { createCuttingProxy, type CuttingProxy } from "../../../test/support/sandbox/cutting-proxy.ts";
import { createRemoteRig, type RemoteRig } from "../../../test/support/sandbox/remote-rig.ts";
import { systemClock } from "../../lib/clock.ts";
import { readHostAddress } from "../../lib/host-address.ts";
import { readPrivateKey } from "../protocol/keys.ts";
import { deployment, makeSandbox } from "../sandbox-harness.conformance.ts";
import type { Sandbox, SandboxProvider } from "../sandbox.ts";
import { createRemote } from "./remote.ts";

describe("a network that cuts what is under way", () => {
  let rig: RemoteRig;
  let proxy: CuttingProxy;
  let provider: SandboxProvider;
  let sandbox: Sandbox;
  beforeEach(async () => {
    rig = await createRemoteRig({ make: makeBubblewrap });
    proxy = await createCuttingProxy(rig.url);
    provider = createRemote({
      hosts: [readHostAddress(`${rig.host}=${proxy.url}`)],
      tokens: await readPrivateKey(rig.keys.privateKey),
      deployment,
      clock: systemClock,
    });
    sandbox = await provider.connect((await makeSandbox(rig)).ref);
  });
  afterEach(async () => {
    await provider.close();
    await proxy.close();
    await rig.close();
  });

  it("gives a command's output once and whole, and runs it once", async () => {
    const command =
      "echo run >> runs; for i in $(seq 1 200); do seq $((i * 100)) $((i * 100 + 99)); sleep 0.01; done";
    const expected = (await sandbox.exec({ command, timeoutMs: 20_000 })).output;
    proxy.cutAfter(20_000);
    const chunks: string[] = [];
    let bytes = 0;
    const { output, reason } = await sandbox.exec({
      command,
      timeoutMs: 20_000,
      onOutput(chunk) {
        chunks.push(chunk);
        bytes += chunk.length;
        // The end holds all of the output, and is one frame.
        if (bytes > 70_000 && bytes - chunk.length <= 70_000) proxy.cutAfter(Number.POSITIVE_INFINITY);
      },
    });
    expect(proxy.cuts()).toBeGreaterThan(2);
    expect(reason).toBe("exit");
    expect(output).toBe(expected);
    expect(chunks.join("")).toBe(expected);
    expect((await sandbox.exec({ command: "cat runs", timeoutMs: 5_000 })).output).toBe("run\nrun\n");
  });

  it("follows a process from offset to offset, whatever is cut", async () => {
    const { id } = await sandbox.spawn({
      command: "for i in $(seq 1 20000); do echo line $i; done; sleep 0.2",
    });
    proxy.cutAfter(20_000);
    const pieces: Uint8Array[] = [];
    let next = 0;
    for await (const event of sandbox.attach(id, { from: 0 })) {
      if (event.type === "end") break;
      expect(event.offset).toBe(next);
      next += event.data.length;
      pieces.push(event.data);
    }
    expect(proxy.cuts()).toBeGreaterThan(3);
    const lines = Buffer.concat(pieces).toString().trimEnd().split("\n");
    expect(lines).toHaveLength(20_000);
    expect(lines.at(-1)).toBe("line 20000");
  });

  it("opens a port both ways, with an end of its own on each side, and refuses one where nothing listens", async () => {
    const code = `import socket; s = socket.create_server(("127.0.0.1", 5005)); print("up", flush=True)
c = s.accept()[0]; d = b""
while (b := c.recv(65536)): d += b
c.sendall(b"got " + str(len(d)).encode()); c.close()`;
    await sandbox.files.write("echo.py", new TextEncoder().encode(code));
    const { id } = await sandbox.spawn({ command: "python3 echo.py" });
    await expect.poll(async () => (await sandbox.logs(id))?.text, { timeout: 10_000 }).toContain("up");
    expect(await sandbox.listening()).toContain(5_005);
    const port = await sandbox.openPort(5_005);
    port.end(Buffer.alloc(3_000_000, 0x61));
    expect(await text(port)).toBe("got 3000000");
    await expect(sandbox.openPort(5_006)).rejects.toMatchObject({ code: "port_refused" });
    await expect(sandbox.openPort(99_999)).rejects.toMatchObject({ code: "port_refused" });
  });

  it("ends connections to ports with the provider", async () => {
    const code = `import socket; s = socket.create_server(("127.0.0.1", 5005)); print("up", flush=True); c = s.accept()[0]; c.recv(1)`;
    await sandbox.files.write("wait.py", new TextEncoder().encode(code));
    const { id } = await sandbox.spawn({ command: "python3 wait.py" });
    await expect.poll(async () => (await sandbox.logs(id))?.text, { timeout: 10_000 }).toContain("up");
    const port = await sandbox.openPort(5_005);
    port.on("error", () => undefined);
    const closed = once(port, "close");
    await provider.close();
    await closed;
    expect(port.destroyed).toBe(true);
  });
});
