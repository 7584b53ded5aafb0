import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SessionSandboxes } from "../../src/allocation/session-sandboxes.ts";
import type { SandboxFiles } from "../../src/sandbox/sandbox.ts";
import type { Target, Tenant, TenantWish } from "./target.ts";

const mebibyte = 1024 * 1024;

/** The same attacks without a server around the sandboxes: straight at the port, where a test needs no more. */
export async function openPortTarget(
  name: string,
  open: (dataDir: string) => SessionSandboxes | Promise<SessionSandboxes>,
): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), "berth-attack-"));
  const sandboxes = await open(join(folder, "data"));
  const caps = await sandboxes.probe();
  let made = 0;
  const canary = `canary-${Math.random().toString(36).slice(2)}`;
  process.env["ATTACK_CANARY"] = canary;
  const secrets = [canary];
  const ends = new Set<() => Promise<unknown>>();

  async function tenant({ memory, disk, org = 0 }: TenantWish = {}): Promise<Tenant> {
    made += 1;
    const place = { orgId: `org_${org}`, sessionId: `ses_${String(made).padStart(26, "0")}` };
    secrets.push(place.sessionId);
    const limits = {
      ...(memory !== undefined && { memoryBytes: memory * mebibyte }),
      ...(disk !== undefined && { diskBytes: disk * mebibyte }),
    };
    const end = async () => {
      ends.delete(end);
      await sandboxes.destroy(place);
    };
    ends.add(end);
    const request = { ...place, userId: `usr_${org}`, wish: { limits } };
    await sandboxes.connect(request);
    return {
      org: place.orgId,
      async run(command, { stdin, timeoutMs = 30_000 } = {}) {
        const sandbox = await sandboxes.connect(request);
        return await sandbox.exec({
          command,
          timeoutMs,
          ...(stdin !== undefined && { stdin: new TextEncoder().encode(stdin) }),
        });
      },
      files: textFiles(() => sandboxes.workspace(place)),
      end,
    };
  }

  return {
    name,
    caps,
    tenant,
    secrets,
    outside: folder,
    serverBytes: async () => process.memoryUsage().rss,
    request: null,
    async close() {
      delete process.env["ATTACK_CANARY"];
      await Promise.allSettled([...ends].map((end) => end()));
      await sandboxes.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function textFiles(open: () => Promise<SandboxFiles>): Tenant["files"] {
  return {
    read: async (path) => new TextDecoder().decode(await (await open()).read(path, { length: 4 * mebibyte })),
    write: async (path, text) => (await open()).write(path, new TextEncoder().encode(text)),
    list: async (path) => (await (await open()).list(path)).items.map((item) => item.path),
    move: async (path, to) => (await open()).move(path, to),
    remove: async (path) => {
      await (await open()).remove(path);
    },
    glob: async (pattern, path) => (await (await open()).glob(pattern, { path })).items,
    grep: async (pattern, path) =>
      (await (await open()).grep(pattern, { path })).items.map((item) => item.text),
  };
}
