import { createServer as createTcp, type Socket } from "node:net";
import { join } from "node:path";
import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { describe, expect, it, vi } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import { connectTo, get, openEgressRig } from "../../../test/support/sandbox/egress-rig.ts";
import { useEgress } from "../../../test/support/sandbox/use-egress.ts";

const { upstream, rig, rigOf, onEnd } = useEgress();
const allowPrivate = ["127.0.0.0/8"];

/** A TCP server that hands its connections over. */
async function listener(take: (socket: Socket) => void) {
  const sockets: Socket[] = [];
  const server = createTcp({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket.on("error", () => {}));
    take(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onEnd(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { port, sockets, allow: [{ host: "a.test", ports: [port] }] };
}

const established = "HTTP/1.1 200 Connection Established\r\n\r\n";

/** A tunnel through a proxy, once it stands. */
async function tunnelTo(socket: Socket, place: string) {
  let received = "";
  socket.setEncoding("latin1").on("data", (text: string) => (received += text));
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.write(connectTo(place));
  await expect.poll(() => received).toContain(established);
  return { socket, closed, received: () => received.slice(established.length) };
}

describe("the egress proxy", () => {
  it("holds a sandbox to so many connections, and tells of those that it closed", async () => {
    const { port, sockets, allow } = await listener((socket) =>
      socket.resume().on("end", () => socket.end()),
    );
    const { connect, decisions, ask, close } = await openEgressRig({
      allow,
      allowPrivate,
      limits: { connections: 3 },
    });
    onEnd(close);
    const tunnels = await Promise.all([1, 2, 3].map(() => tunnelTo(connect(), `a.test:${port}`)));
    expect(await ask(connectTo(`a.test:${port}`))).toBe("");
    expect(decisions.map(({ reason }) => reason)).toContain("too_many_connections");
    expect(sockets).toHaveLength(3);
    tunnels[0]?.socket.destroy();
    await tunnels[0]?.closed;
    await expect.poll(() => ask(connectTo("b.test:1"))).toContain("403");
  });

  it("counts requests that were sent ahead on one connection", async () => {
    const { port, sockets, allow } = await listener(() => {});
    const { connect, decisions } = await rigOf({ allow, allowPrivate, limits: { connections: 3 } });
    const socket = connect().on("error", () => {});
    socket.write(`GET http://a.test:${port}/ HTTP/1.1\r\nHost: a.test:${port}\r\n\r\n`.repeat(20));
    await expect.poll(() => sockets).toHaveLength(3);
    await expect.poll(() => decisions.map(({ reason }) => reason)).toContain("too_many_connections");
    expect(sockets).toHaveLength(3);
    socket.destroy();
  });

  it("takes no headers beyond the limit, and no answer with such", async () => {
    const { port, seen, server } = upstream();
    const { ask } = await rig({ limits: { headerBytes: 4_096 } });
    const url = `http://a.test:${port}/`;
    expect(await ask(get(url, [`X-Long: ${"x".repeat(8_000)}`]))).toMatch(/^HTTP\/1\.1 400 /);
    expect(seen).toEqual([]);
    server.on("request", (_, response) => response.writeHead(200, { "x-long": "x".repeat(8_000) }).end());
    expect(await ask(get(url))).toMatch(/^HTTP\/1\.1 502 /);
  });

  it("waits only so long for a name, a connection, an answer", async () => {
    const clock = createManualClock();
    const { port, sockets, allow } = await listener((socket) => socket.resume());
    const never = new Promise<never>(() => {});
    const url = `http://a.test:${port}/`;
    const slowNames = await rigOf({ allow, allowPrivate, clock, names: () => never });
    const secrets = [{ placeholder: "placeholder-0123456789", value: "value" }];
    const slowTls = await rigOf({ allow: [{ host: "a.test", ports: [port], secrets }], allowPrivate, clock });
    const slowAnswer = await rigOf({ allow, allowPrivate, clock });
    const waits = [
      [slowNames, 5_000, "HTTP/1.1 502", "unresolved", () => slowNames.lookups.length === 1],
      [slowTls, 10_000, "HTTP/1.1 504", "timeout", () => sockets.length === 1],
      [
        slowAnswer,
        120_000,
        "HTTP/1.1 504",
        "timeout",
        () => sockets.length === 2 && (sockets[1]?.bytesRead ?? 0) > 0,
      ],
    ] as const;
    for (const [{ ask, decisions }, ms, status, reason, underWay] of waits) {
      const answer = ask(get(url));
      await expect.poll(() => underWay()).toBe(true);
      await clock.advance(ms);
      expect(await answer).toContain(status);
      expect(decisions.at(-1)).toMatchObject({ verdict: "failed", reason });
    }
  });

  it("ends tunnels and requests in which nothing moves, and no others", async () => {
    const clock = createManualClock();
    const { port, sockets, allow } = await listener((socket) => socket.pipe(socket));
    const { connect } = await rigOf({ allow, allowPrivate, clock, limits: { idleMs: 1_000 } });
    const busy = await tunnelTo(connect(), `a.test:${port}`);
    const idle = await tunnelTo(connect(), `a.test:${port}`);
    for (const text of ["a", "ab", "abc"]) {
      busy.socket.write(text.at(-1) ?? "");
      await expect.poll(() => busy.received()).toBe(text);
      await clock.advance(1_000);
    }
    await idle.closed;
    expect(busy.socket.destroyed).toBe(false);
    await expect.poll(() => sockets.filter(({ destroyed }) => destroyed)).toHaveLength(1);
    await clock.advance(2_000);
    await busy.closed;
  });

  it("carries each direction no faster than it is read", async () => {
    const block = Buffer.alloc(1 << 20);
    let sent = 0;
    const { port, allow } = await listener((socket) => {
      const more = () => {
        while (sent < 256 << 20 && socket.write(block)) sent += block.length;
      };
      socket.on("drain", more);
      more();
    });
    const { connect } = await rigOf({ allow, allowPrivate });
    const socket = connect().on("error", () => {});
    socket.write(connectTo(`a.test:${port}`));
    // Reads nothing: what is under way fills the buffers in between and stays there.
    let before = -1;
    await vi.waitFor(
      () => {
        const still = sent === before && sent > 0;
        before = sent;
        expect(still).toBe(true);
      },
      { interval: 100, timeout: 8_000 },
    );
    expect(sent).toBeLessThan(32 << 20);
    socket.destroy();
  });

  it("passes on the end of each direction by itself", async () => {
    const { port, sockets, allow } = await listener((socket) => {
      socket.setEncoding("latin1");
      let got = "";
      socket.on("data", (text: string) => (got += text)).on("end", () => socket.end(`got ${got}`));
    });
    const { connect } = await rigOf({ allow, allowPrivate });
    const { socket, closed, received } = await tunnelTo(connect(), `a.test:${port}`);
    socket.end("all of it");
    await closed;
    expect(received()).toBe("got all of it");
    await expect.poll(() => sockets[0]?.destroyed).toBe(true);
  });

  it("hangs up on the other side when one is gone", async () => {
    const { port, sockets, allow } = await listener((socket) => socket.resume());
    const { connect } = await rigOf({ allow, allowPrivate });
    const request = connect().on("error", () => {});
    request.write(get(`http://a.test:${port}/`));
    await expect.poll(() => sockets[0]?.bytesRead).toBeGreaterThan(0);
    request.destroy();
    await expect.poll(() => sockets[0]?.destroyed || sockets[0]?.readableEnded).toBe(true);
    const tunnel = await tunnelTo(connect(), `a.test:${port}`);
    sockets[1]?.resetAndDestroy();
    await tunnel.closed;
  });

  it("cuts an answer off where the other side did, and says so by no end", async () => {
    const { port, server } = upstream();
    server.on("request", (_, response) => {
      response.write("a part", () => response.socket?.resetAndDestroy());
    });
    const { ask } = await rig();
    const answer = await ask(get(`http://a.test:${port}/`));
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).not.toContain("\r\n0\r\n");
  });

  it("does not wait long for a side that has said nothing since the other ended", async () => {
    const clock = createManualClock();
    const { port, sockets, allow } = await listener((socket) => socket.resume());
    const { connect } = await rigOf({ allow, allowPrivate, clock });
    const { socket, closed } = await tunnelTo(connect(), `a.test:${port}`);
    socket.end();
    await expect.poll(() => sockets[0]?.readableEnded).toBe(true);
    await clock.advance(29_000);
    expect(socket.destroyed).toBe(false);
    await clock.advance(31_000);
    await closed;
  });

  it("ends what a new policy no longer allows, and leaves the rest", async () => {
    const { port, allow } = await listener((socket) => socket.pipe(socket));
    const both = [...allow, { host: "b.test", ports: [port] }];
    const { connect, egress, ask } = await rigOf({ allow: both, allowPrivate });
    const kept = await tunnelTo(connect(), `a.test:${port}`);
    const ended = await tunnelTo(connect(), `b.test:${port}`);
    expect(() => egress.setPolicy({ allow: [{ host: "http://x" }] })).toThrow("is no name");
    kept.socket.write("still");
    await expect.poll(() => kept.received()).toBe("still");
    egress.setPolicy({ allow });
    await ended.closed;
    expect(await ask(connectTo(`b.test:${port}`))).toContain("403");
    kept.socket.write("here");
    await expect.poll(() => kept.received()).toBe("stillhere");
  });

  it("refuses what a policy forbade while the name was looked up", async () => {
    const { port, connections } = upstream();
    const found = Promise.withResolvers<void>();
    const { ask, egress, lookups, decisions } = await rig({
      names: async () => {
        await found.promise;
        return [{ address: "127.0.0.1", family: 4 }];
      },
    });
    const answers = [ask(connectTo(`a.test:${port}`)), ask(get(`http://a.test:${port}/`))];
    await expect.poll(() => lookups).toHaveLength(2);
    egress.setPolicy({ allow: [] });
    found.resolve();
    await Promise.all(answers);
    expect(connections()).toBe(0);
    expect(decisions.every(({ verdict }) => verdict === "denied")).toBe(true);
  });

  it("listens at a path of any length, for its owner alone, in the place of a file that was left", async () => {
    const folder = await mkdtemp(join(tmpdir(), "berth-egress-long-"));
    onEnd(() => rm(folder, { recursive: true }));
    const deep = join(folder, "a".repeat(100), "b".repeat(100));
    await mkdir(deep, { recursive: true });
    const socketPath = join(deep, "egress.sock");
    const first = await openEgressRig({ allow: [], socketPath });
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
    await first.close();
    await expect(stat(socketPath)).rejects.toThrow("ENOENT");
  });
});
