import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startBareBubblewrap } from "../../../../test/support/sandbox/bare-bubblewrap.ts";
import { useBareBubblewrap } from "../../../../test/support/sandbox/use-bare-bubblewrap.ts";

const { sandbox, sh } = useBareBubblewrap();

describe("ports", () => {
  const serve = (host: string, port: number) =>
    `/opt/berth/node -e 'require("net").createServer({allowHalfOpen:true},(s)=>{s.pipe(s)}).listen(${port},"${host}")'`;

  it("are listed and reached, by IPv4 and IPv6, and echo what is sent", async () => {
    const servers = [
      await sandbox().spawn({ command: serve("127.0.0.1", 4_001) }),
      await sandbox().spawn({ command: serve("::1", 4_002) }),
    ];
    await expect.poll(() => sandbox().listening(), { timeout: 5_000 }).toEqual([4_001, 4_002]);
    for (const port of [4_001, 4_002]) {
      const stream = await sandbox().openPort(port);
      const sent = Buffer.alloc(2_000_000, "abc");
      stream.end(sent);
      const back: Buffer[] = [];
      for await (const chunk of stream) back.push(chunk as Buffer);
      expect(Buffer.concat(back).equals(sent)).toBe(true);
    }
    await Promise.all(servers.map(({ id }) => sandbox().kill(id)));
    await expect(sandbox().openPort(4_001)).rejects.toMatchObject({ code: "port_refused" });
    expect(await sandbox().listening()).toEqual([]);
  });

  it("end when what listens is ended, and close when who asked goes", async () => {
    const { id } = await sandbox().spawn({ command: serve("127.0.0.1", 4_003) });
    await expect.poll(() => sandbox().listening(), { timeout: 5_000 }).toEqual([4_003]);
    const first = await sandbox().openPort(4_003);
    first.destroy();
    const second = await sandbox().openPort(4_003);
    second.write("x");
    await once(second, "data");
    const ended = once(second, "end");
    await sandbox().kill(id);
    await ended;
    const closed = once(second, "close");
    second.end("to nobody");
    await closed;
  });

  it("wait for a slow reader and hold nobody else up", async () => {
    const flood = `/opt/berth/node -e 'require("net").createServer((s)=>{const b=Buffer.alloc(65536);const w=()=>{while(s.write(b));};s.on("drain",w);s.on("error",()=>{});w()}).listen(4004,"127.0.0.1")'`;
    const { id } = await sandbox().spawn({ command: flood });
    await expect.poll(() => sandbox().listening(), { timeout: 5_000 }).toEqual([4_004]);
    const stream = await sandbox().openPort(4_004);
    await once(stream, "readable");
    expect((await sh("echo ok")).output).toBe("ok\n");
    expect(stream.readableLength).toBeLessThan(600_000);
    stream.destroy();
    await sandbox().kill(id);
  });
});

it("leads programs to the policy proxy's socket, and tells nobody that this is a port", async () => {
  const folder = await mkdtemp(join(tmpdir(), "berth-egress-"));
  const proxy = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    socket.on("data", (chunk: Buffer) => void socket.write(`proxied ${chunk.toString()}`));
    socket.on("end", () => socket.end());
  }).listen(join(folder, "egress.sock"));
  await once(proxy, "listening");
  const own = await startBareBubblewrap({ proxy: true, binds: ["--ro-bind", folder, "/run/berth"] });
  try {
    const { exec, listening, openPort } = own.client.inFolder("");
    const script = `const s=require("net").connect(new URL(process.env.https_proxy).port,"127.0.0.1");s.end("hi");s.pipe(process.stdout)`;
    const command = `/opt/berth/node -e '${script}'`;
    expect(await exec({ command, timeoutMs: 5_000 })).toMatchObject({ output: "proxied hi", code: 0 });
    expect(await listening()).toEqual([]);
    await expect(openPort(3_128)).rejects.toMatchObject({ code: "port_refused" });
  } finally {
    await own.close();
    proxy.close();
    await rm(folder, { recursive: true });
  }
});
