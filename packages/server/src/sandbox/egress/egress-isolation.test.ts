// What a network namespace of its own and the proxy's socket leave of the network, with a bubblewrap that has nothing else to it. The
// whole sandbox is attacked by the suite of the provider.
import { spawn } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer as createTcp, type ListenOptions } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { get } from "../../../test/support/sandbox/egress-rig.ts";
import { useEgress } from "../../../test/support/sandbox/use-egress.ts";
import { seccompProgram } from "../bubblewrap/seccomp.ts";
import { syscallTables } from "../bubblewrap/syscall-numbers.ts";

const { upstream, rigOf, onEnd } = useEgress();
const program = "bwrap";
const probe = join(import.meta.dirname, "../../../test/support/sandbox/network-probe.py");

/** A listener that counts who came. */
async function counting(where: ListenOptions) {
  let came = 0;
  const server = createTcp((socket) => {
    came += 1;
    socket.on("error", () => {}).destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(where, resolve);
  });
  onEnd(() => new Promise((resolve) => server.close(() => resolve())));
  const address = server.address();
  return { came: () => came, port: typeof address === "object" && address !== null ? address.port : 0 };
}

/** An address of this machine that is not the loopback's; 127.0.0.2 where it has none. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  return all.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.2";
}

interface Run {
  readonly plan: unknown;
  /** Files and folders that it sees, by the same names. */
  readonly shared: readonly string[];
  readonly options: readonly string[];
  readonly seccomp: boolean;
}

/** Runs the probe in a bubblewrap, as no root. */
async function probed({ plan, shared, options, seccomp }: Run): Promise<Record<string, string>> {
  const table = syscallTables[process.arch];
  if (table === undefined) throw new Error(`no filter for ${process.arch}`);
  const binds = ["/usr", "/bin", "/lib", "/lib64", "/etc/alternatives", probe, ...shared];
  const system = binds
    .flatMap((path) => ["--ro-bind-try", path, path])
    .concat("--proc", "/proc", "--dev", "/dev");
  const user = ["--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--clearenv"];
  const life = ["--die-with-parent", "--new-session"];
  const command = ["--", "/usr/bin/python3", probe, JSON.stringify(plan)];
  const filtered = seccomp ? ["--seccomp", "3"] : [];
  const child = spawn(program, [...system, ...user, ...life, ...options, ...filtered, ...command], {
    env: {},
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    ...(process.getuid?.() === 0 && { uid: 65_534, gid: 65_534 }),
  });
  const said = { out: "", err: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (said.out += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said.err += text));
  const filter = child.stdio[3];
  if (filter !== null && filter !== undefined && "end" in filter)
    filter.on("error", () => {}).end(seccomp ? seccompProgram(table) : "");
  await new Promise((resolve) => child.on("close", resolve));
  expect(said.err).toBe("");
  return JSON.parse(said.out) as Record<string, string>;
}

describe("SBX-15 a sandbox with nothing but the proxy", () => {
  it("reaches no server of the host, by no family, and has no route", { timeout: 30_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "berth-network-"));
    onEnd(() => rm(folder, { recursive: true }));
    await chmod(folder, 0o755);
    const abstract = `berth-test-${process.pid}`;
    const path = join(folder, "control.sock");
    const four = [
      await counting({ port: 0, host: "0.0.0.0" }),
      await counting({ port: 0, host: "127.0.0.1" }),
    ];
    const six = await counting({ port: 0, host: "::1" });
    const unix = [await counting({ path: `\0${abstract}` }), await counting({ path })];
    await chmod(path, 0o777);
    const listeners = [...four, six, ...unix];
    const came = () => listeners.map((one) => one.came());

    const { port } = upstream();
    const rig = await rigOf({ allow: [{ host: "a.test", ports: [port] }], allowPrivate: ["127.0.0.0/8"] });
    await chmod(join(rig.socketPath, ".."), 0o755);
    await chmod(rig.socketPath, 0o666);
    const plan = {
      ports: four.map((one) => one.port),
      address: ownAddress(),
      port6: six.port,
      abstract,
      path,
      egress: rig.socketPath,
      ask: get(`http://a.test:${port}/from-inside`),
    };
    const shared = [rig.socketPath];

    const held = await probed({ plan, shared, seccomp: true, options: ["--unshare-net"] });
    expect(came()).toEqual([0, 0, 0, 0, 0]);
    const { proxy, routes, interfaces, ...ways } = held;
    expect(Object.values(ways)).not.toContain("reached");
    expect(ways).toMatchObject({ "host address": "ENETUNREACH", udp: "ENETUNREACH", path: "ENOENT" });
    expect(ways["vsock"]).toBe("EAFNOSUPPORT");
    expect(ways["packet"]).toBe("EAFNOSUPPORT");
    expect(["EPERM", "EACCES"]).toContain(ways["raw"]);
    expect(routes).toBe("0");
    expect(interfaces).toBe("lo");
    // The proxy is there, and lets through what is allowed.
    expect(proxy).toContain("hello from /from-inside");

    // The same probe with the host's network and folder reaches every one of them.
    const naive = await probed({ plan, shared: [...shared, folder], seccomp: false, options: [] });
    expect(came()).toEqual(came().map((count) => Math.max(count, 1)));
    expect(naive["tcp6"]).toBe("reached");
    expect(naive["abstract"]).toBe("reached");
    expect(naive["path"]).toBe("reached");
  });
});
