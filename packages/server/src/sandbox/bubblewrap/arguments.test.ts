import { describe, expect, it } from "vitest";
import { bubblewrapArguments, encodeArguments, type SandboxPlan } from "./arguments.ts";

const plan: SandboxPlan = {
  view: {
    kind: "usr",
    folders: [{ from: "/usr", at: "/usr" }],
    links: [{ target: "usr/bin", at: "/bin" }],
    etc: [
      { from: "/run/berth/shared/etc", at: "/etc" },
      { from: "/etc/ssl/certs", at: "/etc/ssl/certs" },
    ],
  },
  workspace: "/run/berth/x/ws",
  node: "/run/berth/shared/node",
  agent: "/run/berth/shared/agent.mjs",
  egress: "/run/berth/x/net",
  tmpBytes: 1_000,
  shmBytes: 2_000,
  seccomp: 4,
  info: 5,
  block: 6,
};

describe("the arguments of bubblewrap", () => {
  const list = bubblewrapArguments(plan);
  const all = list.join(" ");
  const at = (words: string) => {
    const found = all.indexOf(words);
    expect([words, found >= 0]).toEqual([words, true]);
    return found;
  };

  it("leave every namespace, every capability and the environment behind", () => {
    for (const kind of ["user", "ipc", "pid", "net", "uts", "cgroup"]) at(`--unshare-${kind}`);
    for (const option of ["--disable-userns", "--cap-drop ALL", "--die-with-parent", "--new-session"])
      at(option);
    for (const option of ["--clearenv", "--hostname sandbox", "--uid 1000 --gid 1000"]) at(option);
    expect(all).not.toContain("--share-net");
    expect(all).not.toContain("--dev-bind");
  });

  it("bind everything of the machine read-only but the workspace", () => {
    const writable = list.flatMap((word, index) => (word === "--bind" ? [list[index + 2]] : []));
    expect(writable).toEqual(["/workspace"]);
    at("--ro-bind /proc/sys /proc/sys");
    at("--ro-bind /run/berth/x/net /run/berth");
  });

  it("give every tmpfs a size, and close /usr/local, /dev and / when they are filled", () => {
    for (const [index, word] of list.entries()) {
      if (word !== "--tmpfs") continue;
      const before = list.slice(Math.max(0, index - 4), index);
      expect([list[index + 1], before.includes("--size")]).toEqual([list[index + 1], true]);
    }
    at("--size 1000 --perms 1777 --tmpfs /tmp");
    at("--size 2000 --perms 1777 --tmpfs /dev/shm");
    expect(at("--tmpfs /dev/shm")).toBeLessThan(at("--remount-ro /dev"));
    expect(at("--ro-bind /usr /usr")).toBeLessThan(at("--tmpfs /usr/local"));
    expect(at("--tmpfs /usr/local")).toBeLessThan(at("--remount-ro /usr/local"));
    expect(at("--bind /run/berth/x/ws /workspace")).toBeLessThan(at("--remount-ro / "));
  });

  it("lie later mounts on earlier ones", () => {
    expect(at("--proc /proc")).toBeLessThan(at("--ro-bind /proc/sys"));
    expect(at("--proc /proc")).toBeLessThan(at("--ro-bind /dev/null /proc/1/mem"));
    expect(at("--tmpfs /proc/1/task")).toBeLessThan(at("--remount-ro /proc/1/task"));
    expect(at("--ro-bind /run/berth/shared/etc /etc")).toBeLessThan(at("--ro-bind /etc/ssl/certs"));
  });

  it("have no socket folder where there is no proxy", () => {
    expect(bubblewrapArguments({ ...plan, egress: null })).not.toContain("/run/berth");
  });

  it("are written as bubblewrap reads them", () => {
    expect(encodeArguments(["--a", "b c"]).toString()).toBe("--a\0b c\0");
  });
});
