import { createServer, get as httpGet } from "node:http";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import {
  connectTo,
  type EgressRig,
  get,
  loopback,
  openUpstream,
  statusOf,
} from "../../../test/support/sandbox/egress-rig.ts";
import { useEgress } from "../../../test/support/sandbox/use-egress.ts";

const { upstream, rigOf, onEnd } = useEgress();

const reasons = ({ decisions }: EgressRig) => decisions.map(({ reason }) => reason);

/** Ways to write an address of this machine or of its neighbourhood, and how the policy names it. */
const closed: readonly (readonly [written: string, address: string])[] = [
  ["127.0.0.1", "127.0.0.1"],
  ["127.0.0.1.", "127.0.0.1"],
  ["127.1", "127.0.0.1"],
  ["2130706433", "127.0.0.1"],
  ["0x7f000001", "127.0.0.1"],
  ["0x7f.1", "127.0.0.1"],
  ["017700000001", "127.0.0.1"],
  ["0177.0.0.01", "127.0.0.1"],
  ["[::ffff:127.0.0.1]", "127.0.0.1"],
  ["[::ffff:7f00:1]", "127.0.0.1"],
  ["[0:0:0:0:0:FFFF:7f00:0001]", "127.0.0.1"],
  ["[::1]", "::1"],
  ["[::]", "::"],
  ["[64:ff9b::7f00:1]", "64:ff9b::7f00:1"],
  ["[fd00::1]", "fd00::1"],
  ["[fe80::1]", "fe80::1"],
  ["[2002:7f00:1::]", "2002:7f00:1::"],
  ["0", "0.0.0.0"],
  ["0.0.0.0", "0.0.0.0"],
  ["10.0.0.1", "10.0.0.1"],
  ["100.64.0.1", "100.64.0.1"],
  ["169.254.169.254", "169.254.169.254"],
  ["0xa9fea9fe", "169.254.169.254"],
  ["224.0.0.1", "224.0.0.1"],
  ["LOCALHOST", "localhost"],
  ["localhost.", "localhost"],
];

describe("SBX-16 the egress proxy", () => {
  it("refuses addresses however they are written, unlisted and listed ones, in tunnels and plain requests", async () => {
    const { port } = upstream();
    const unlisted = await rigOf({ allow: [{ host: "a.test", ports: [port] }] });
    const listed = await rigOf({ allow: closed.map(([, host]) => ({ host, ports: [port] })) });
    for (const [written] of closed) {
      for (const rig of [unlisted, listed]) {
        const place = `${written}:${port}`;
        const raw = `GET http://${place}/ HTTP/1.1\r\nHost: ${place}\r\nConnection: close\r\n\r\n`;
        for (const text of [connectTo(place), raw])
          expect([place, statusOf(await rig.ask(text))]).toEqual([place, 403]);
      }
    }
    const hosts = new Set(closed.map(([, host]) => host));
    for (const [rig, reason] of [
      [unlisted, "not_listed"],
      [listed, "address_refused"],
    ] as const) {
      expect(new Set(rig.decisions.map(({ host }) => host))).toEqual(hosts);
      expect(new Set(reasons(rig))).toEqual(new Set([reason]));
    }
    expect([...unlisted.lookups, ...listed.lookups]).toEqual([]);
    expect(upstream().connections()).toBe(0);
    // The same listener is reached by whoever does not look.
    await new Promise((resolve, reject) => {
      httpGet(`http://2130706433:${port}/`, (answer) => resolve(answer.resume())).on("error", reject);
    });
    expect(upstream().connections()).toBe(1);
  });

  it("reaches an address that is listed and permitted, however it is written", async () => {
    const { port } = upstream();
    const rig = await rigOf({
      allow: [{ host: "127.0.0.1", ports: [port] }],
      allowPrivate: ["127.0.0.1/32"],
    });
    const place = `0x7f.1:${port}`;
    const raw = `GET http://${place}/ HTTP/1.1\r\nHost: ${place}\r\nConnection: close\r\n\r\n`;
    expect(await rig.ask(raw)).toContain("hello from /");
    expect(upstream().seen[0]?.headers.host).toBe(`127.0.0.1:${port}`);
    expect(rig.lookups).toEqual([]);
  });

  it("refuses a name when one of its addresses is private", async () => {
    const { port } = upstream();
    const pub = { address: "93.184.216.34", family: 4 };
    const answers = [
      [loopback],
      [pub, loopback],
      [{ address: "::ffff:127.0.0.1", family: 6 }],
      [pub, { address: "fd00::1", family: 6 }],
    ];
    for (const answer of answers) {
      const rig = await rigOf({ allow: [{ host: "a.test", ports: [port] }], names: () => answer });
      expect(await rig.ask(connectTo(`a.test:${port}`))).toMatch(/^HTTP\/1\.1 403 /);
      expect(rig.lookups).toEqual(["a.test"]);
      expect(reasons(rig)).toEqual(["address_refused"]);
    }
    expect(upstream().connections()).toBe(0);
  });

  it("resolves once and dials what it checked, whatever the next answer says", async () => {
    const { port } = upstream();
    const victim = createServer((_, response) => response.end("victim"));
    await new Promise<void>((resolve) => victim.listen(port, "127.0.0.2", resolve));
    onEnd(() => new Promise((resolve) => victim.close(() => resolve())));
    const rebinding = () => {
      let asked = 0;
      return () => [(asked += 1) === 1 ? loopback : { address: "127.0.0.2", family: 4 }];
    };
    const allow = [{ host: "a.test", ports: [port] }];
    for (const text of [
      get(`http://a.test:${port}/`),
      `${connectTo(`a.test:${port}`)}${get("http://a.test/")}`,
    ]) {
      const rig = await rigOf({ allow, allowPrivate: ["127.0.0.1/32"], names: rebinding() });
      const answer = await rig.ask(text);
      expect(answer).toContain("hello from");
      expect(answer).not.toContain("victim");
      expect(rig.lookups).toEqual(["a.test"]);
      expect(rig.decisions[0]?.address).toBe("127.0.0.1");
    }
    // Whoever checks one answer and dials the name again gets the other.
    const naive = rebinding();
    const checked = naive()[0]?.address;
    const dialled = naive()[0]?.address;
    expect(checked).toBe("127.0.0.1");
    const told = await new Promise<string>((resolve) => {
      httpGet({ host: dialled, port }, (answer) => answer.setEncoding("utf8").on("data", resolve));
    });
    expect(told).toBe("victim");
  });

  it("follows no redirect: the next address is asked for and judged again", async () => {
    const victim = await openUpstream();
    onEnd(victim.close);
    const place = `http://127.0.0.1:${victim.port}/`;
    upstream().server.on("request", (_, response) => response.writeHead(302, { location: place }).end());
    const rig = await rigOf({
      allow: [{ host: "a.test", ports: [upstream().port] }],
      allowPrivate: [`a.test:${upstream().port}`],
    });
    const answer = await rig.ask(get(`http://a.test:${upstream().port}/`));
    expect(answer).toMatch(/^HTTP\/1\.1 302 /);
    expect(answer).toContain(place);
    expect(await rig.ask(get(place))).toMatch(/^HTTP\/1\.1 403 /);
    expect(victim.connections()).toBe(0);
  });

  it("takes no address with user names, odd characters or another scheme, and no relative one", async () => {
    const { port } = upstream();
    const rig = await rigOf({ allow: [{ host: "a.test", ports: [port] }], allowPrivate: ["127.0.0.0/8"] });
    const plain = [
      `http://a.test@127.0.0.1:${port}/`,
      `http://user:pass@a.test:${port}/`,
      `http://a.test:${port}\\@evil.test/`,
      `http://a.test:${port}#@evil.test/`,
      `http://a.test%2eevil.test/`,
      `http://a%00.test:${port}/`,
      `http://a..test:${port}x/`,
      `http://[a.test]:${port}/`,
      `http://a.test:0/`,
      `http://a.test:99999/`,
      `http:///x`,
      `http:a.test/`,
      `https://a.test:${port}/`,
      `ftp://a.test:${port}/`,
      `gopher://a.test:${port}/`,
      `file:///etc/passwd`,
      `/`,
      `*`,
      `a.test:${port}`,
    ];
    for (const url of plain) {
      const answer = await rig.ask(
        `GET ${url} HTTP/1.1\r\nHost: a.test:${port}\r\nConnection: close\r\n\r\n`,
      );
      expect([url, statusOf(answer)]).toEqual([url, 400]);
    }
    const tunnels = [
      `user@a.test:${port}`,
      `a.test`,
      `a.test:`,
      `:${port}`,
      `a.test:${port}/x`,
      `a.test:${port}?x`,
      `http://a.test:${port}`,
      `a.test\\:${port}`,
      `[::1%25eth0]:${port}`,
      `a.test:${port}:${port}`,
      `a.test:+${port}`,
    ];
    for (const place of tunnels) {
      expect([place, statusOf(await rig.ask(`CONNECT ${place} HTTP/1.1\r\n\r\n`))]).toEqual([place, 400]);
    }
    expect(rig.lookups).toEqual([]);
    expect(upstream().connections()).toBe(0);
    expect(rig.decisions.every(({ verdict }) => verdict === "denied")).toBe(true);
    expect(JSON.stringify(rig.decisions)).not.toContain("pass@");
  });

  it("holds tunnels and plain requests to the same hosts and ports", async () => {
    const { port } = upstream();
    const allow = [
      { host: "a.test", ports: [port] },
      { host: "*.wild.test", ports: [port] },
    ];
    const rig = await rigOf({ allow, allowPrivate: ["127.0.0.0/8"] });
    const asked: readonly (readonly [place: string, ok: boolean])[] = [
      [`a.test:${port}`, true],
      [`A.TEST:${port}`, true],
      [`a.test.:${port}`, true],
      [`x.wild.test:${port}`, true],
      [`x.y.wild.test:${port}`, true],
      [`wild.test:${port}`, false],
      [`.wild.test:${port}`, false],
      [`xwild.test:${port}`, false],
      [`a.test.evil.test:${port}`, false],
      [`b.a.test:${port}`, false],
      [`a.test..:${port}`, false],
      [`a.test:${port + 1}`, false],
      [`a.test:22`, false],
    ];
    for (const [place, ok] of asked) {
      const status = ok ? 200 : 403;
      const plain = `GET http://${place}/ HTTP/1.1\r\nHost: ${place}\r\nConnection: close\r\n\r\n`;
      expect([place, statusOf(await rig.ask(plain))]).toEqual([place, status]);
      const inside = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";
      expect([place, statusOf(await rig.ask(connectTo(place) + inside))]).toEqual([place, status]);
    }
  });

  it("refuses a Host header that names another host, and upgrades outside of tunnels", async () => {
    const { port } = upstream();
    const rig = await rigOf({ allow: [{ host: "a.test", ports: [port] }], allowPrivate: ["127.0.0.0/8"] });
    const ask = (...lines: readonly string[]) =>
      rig.ask([...lines, "Connection: close", "", ""].join("\r\n"));
    const line = `GET http://a.test:${port}/ HTTP/1.1`;
    for (const host of [
      "evil.test",
      `evil.test:${port}`,
      `a.test:${port + 1}`,
      "",
      `a.test:${port}@evil.test`,
    ]) {
      expect([host, statusOf(await ask(line, `Host: ${host}`))]).toEqual([host, 400]);
    }
    expect(await rig.ask(`CONNECT a.test:${port} HTTP/1.1\r\nHost: evil.test:${port}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 400 /,
    );
    expect(reasons(rig)).toContain("host_mismatch");
    const upgrade = [`Host: a.test:${port}`, "Upgrade: websocket", "Connection: upgrade"];
    expect(await rig.ask([line, ...upgrade, "", ""].join("\r\n"))).toMatch(/^HTTP\/1\.1 400 /);
    expect(reasons(rig)).toContain("upgrade");
    expect(upstream().connections()).toBe(0);
  });
});

describe("SBX-17 names that are not allowed", () => {
  it("are never looked up, because a lookup tells the name to whoever answers for it", async () => {
    const { port } = upstream();
    const rig = await rigOf({ allow: [{ host: "a.test", ports: [port] }], allowPrivate: ["127.0.0.0/8"] });
    const names = Array.from({ length: 50 }, (_, at) => `secret-${at}.evil.test`);
    for (const name of [...names, "b.a.test", "a.test.evil.test"]) {
      expect(await rig.ask(connectTo(`${name}:${port}`))).toMatch(/^HTTP\/1\.1 403 /);
      expect(await rig.ask(get(`http://${name}:${port}/`))).toMatch(/^HTTP\/1\.1 403 /);
    }
    expect(await rig.ask(connectTo("a.test:22"))).toMatch(/^HTTP\/1\.1 403 /);
    expect(rig.lookups).toEqual([]);
    // The stub does see what is allowed.
    await rig.ask(get(`http://a.test:${port}/`));
    expect(rig.lookups).toEqual(["a.test"]);
  });
});

describe("the egress proxy's socket", () => {
  it("answers nobody once it is closed, and may have a long path", async () => {
    const rig = await rigOf({ allow: [] });
    expect(await rig.ask(connectTo("a.test:443"))).toMatch(/^HTTP\/1\.1 403 /);
    await rig.egress.close();
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
      connect({ path: rig.socketPath }).on("error", resolve);
    });
    expect(error.code).toBe("ENOENT");
  });
});
