import type { SessionPlace, SessionSandboxes } from "../../../src/allocation/session-sandboxes.ts";
import { BerthError } from "../../../src/lib/errors.ts";
import type { SandboxFiles } from "../../../src/sandbox/sandbox.ts";
import type { Life } from "../engine/life.ts";

interface File {
  readonly data: Uint8Array;
  readonly modifiedMs: number;
}

/** The files of one session, by path; they outlive every process. */
type Tree = Map<string, File>;

/** Workspaces by session. */
export type Disk = Map<string, Tree>;

const keyOf = ({ orgId, sessionId }: SessionPlace) => `${orgId}/${sessionId}`;

function filesOf(tree: Tree, life: Life): SandboxFiles {
  const refuse = (): never => {
    throw new BerthError("not_simulated", "The simulated workspace has no search.");
  };
  return {
    stat: (path) =>
      life.call("file stat", () => {
        const file = tree.get(path);
        if (file === undefined) return null;
        return { kind: "file" as const, size: file.data.byteLength, modifiedMs: file.modifiedMs };
      }),
    list: (path) =>
      life.call("file list", () => ({
        truncated: false,
        items: [...tree]
          .filter(([name]) => path === "" || name.startsWith(`${path}/`))
          .map(([name, { data, modifiedMs }]) => ({
            path: name,
            kind: "file" as const,
            size: data.byteLength,
            modifiedAt: new Date(modifiedMs).toISOString(),
          })),
      })),
    read: (path, { offset = 0, length = Number.POSITIVE_INFINITY } = {}) =>
      life.call("file read", () => {
        const file = tree.get(path);
        if (file === undefined) throw new BerthError("file_not_found", `There is no file ${path}.`);
        return file.data.subarray(offset, offset + length);
      }),
    write: (path, data) =>
      life.call(
        "file write",
        () => void tree.set(path, { data: data.slice(), modifiedMs: life.clock.now() }),
      ),
    move: (path, to) =>
      life.call("file move", () => {
        const file = tree.get(path);
        if (file === undefined) throw new BerthError("file_not_found", `There is no file ${path}.`);
        tree.delete(path);
        tree.set(to, file);
      }),
    remove: (path) => life.call("file remove", () => tree.delete(path)),
    tree: refuse,
    makeFolder: refuse,
    makeLink: refuse,
    setExecutable: refuse,
    glob: refuse,
    grep: refuse,
  };
}

/** Workspaces without sandboxes, as one life of a process has them. */
export function workspacesOf(disk: Disk, life: Life): SessionSandboxes {
  return {
    kind: "none",
    probe: async () => ({
      isolation: "none",
      label: "simulated",
      cgroup: "none",
      network: "none",
      diskQuota: "none",
      seccomp: false,
      pty: false,
      ports: false,
      reasons: [],
      unavailable: "there are none in the simulation",
    }),
    connect: () =>
      life.call("sandbox connect", () => {
        throw new BerthError("sandbox_unavailable", "There are no sandboxes in the simulation.");
      }),
    async workspace(place, begin) {
      const known = await life.call("workspace", () => disk.get(keyOf(place)) ?? null);
      if (known !== null) return filesOf(known, life);
      const tree: Tree = await life.call("workspace make", () => {
        const made = disk.get(keyOf(place)) ?? new Map<string, File>();
        disk.set(keyOf(place), made);
        return made;
      });
      const files = filesOf(tree, life);
      await begin?.(files);
      return files;
    },
    files: (place) =>
      life.call("files", () => {
        const tree = disk.get(keyOf(place));
        return tree === undefined ? null : filesOf(tree, life);
      }),
    destroy: (place) =>
      life.call("workspace destroy", () => (disk.delete(keyOf(place)) ? "destroyed" : "absent")),
    release: () => life.call("sandbox release", () => undefined),
    reapLeftovers: () => life.call("sandbox reap", () => 0),
    async close() {},
  };
}
