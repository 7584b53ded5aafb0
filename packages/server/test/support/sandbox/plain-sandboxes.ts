import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { SandboxAllocationStrategy } from "@berth/contract";
import type {
  AllocationFilter,
  AllocationRecord,
  HeldSandbox,
  HeldSandboxFilter,
  SandboxDirectory,
} from "../../../src/allocation/sandbox-directory.ts";
import type {
  SandboxRequest,
  SessionPlace,
  SessionSandboxes,
} from "../../../src/allocation/session-sandboxes.ts";
import { BerthError } from "../../../src/lib/errors.ts";
import { newId } from "../../../src/lib/id.ts";
import type { Capabilities, SandboxFiles, SandboxLimits } from "../../../src/sandbox/sandbox.ts";
import type { Store } from "../../../src/store/store.ts";
import { PlainSandbox } from "./plain-sandbox.ts";

export interface PlainOptions {
  readonly folder: string;
  readonly store: Pick<Store, "org">;
  readonly strategy?: SandboxAllocationStrategy;
  readonly capabilities?: Partial<Capabilities>;
}

interface Held extends HeldSandbox {
  readonly orgId: string;
  readonly sandbox: PlainSandbox;
}

/** Sandboxes of sessions and their directory, held in memory: for tests of what stands on them. */
export class PlainSandboxes {
  readonly #options: PlainOptions;
  readonly #held = new Map<string, Held>();
  #allocations: readonly (AllocationRecord & { readonly orgId: string })[] = [];

  constructor(options: PlainOptions) {
    this.#options = options;
  }

  /** The one of that id, to look behind the curtain. */
  plain(sandboxId: string): PlainSandbox {
    return this.#found(null, sandboxId).sandbox;
  }

  /** As if it had been made anew under the same id. */
  renew(sandboxId: string): void {
    this.#held.set(sandboxId, { ...this.#found(null, sandboxId), incarnation: randomUUID() });
  }

  get sandboxes(): SessionSandboxes {
    const noFiles = {} as SandboxFiles;
    return {
      kind: "local-process",
      probe: () => this.#probe(),
      connect: (request) => this.#connect(request),
      async workspace(_, begin) {
        await begin?.(noFiles);
        return noFiles;
      },
      files: async () => null,
      destroy: async (place) => ((await this.#release(place)) ? "destroyed" : "absent"),
      release: async (place) => void (await this.#release(place)),
      reapLeftovers: async () => 0,
      close: async () => {
        for (const id of this.#held.keys()) await this.#end(id, "closed");
      },
    };
  }

  get sandboxDirectory(): SandboxDirectory {
    return {
      list: async (orgId, filter) => this.#list(orgId, filter),
      quota: async () => null,
      find: async (orgId, id) => {
        const held = this.#held.get(id);
        return held?.orgId === orgId ? held : null;
      },
      allocations: async (orgId, filter) => this.#listAllocations(orgId, filter),
      findAllocation: async (orgId, id) =>
        this.#allocations.find((one) => one.orgId === orgId && one.id === id) ?? null,
      connect: async (orgId, id) => this.#found(orgId, id).sandbox,
      destroy: async (orgId, { sandboxId, reason, audit }) => {
        this.#found(orgId, sandboxId);
        if (audit !== undefined) await this.#options.store.org(orgId).audit.append(audit);
        await this.#end(sandboxId, reason);
      },
      census: async () => ({
        capabilities: await this.#probe(),
        hosts: [{ ...localHost, live: this.#held.size }],
        warm: 0,
        live: { creating: 0, active: this.#held.size, destroying: 0 },
      }),
    };
  }

  async #connect({ orgId, sessionId, onGiven }: SandboxRequest): Promise<PlainSandbox> {
    const { store, strategy = "Session-Exclusive" } = this.#options;
    const userId = (await store.org(orgId).findSession(sessionId))?.owner ?? "usr_nobody";
    const shared = strategy === "User-Exclusive";
    const ofUser = [...this.#held.values()].find((one) => one.orgId === orgId && one.userId === userId);
    const before = this.#ofSession({ orgId, sessionId }) ?? (shared ? ofUser : undefined);
    const held = before ?? this.#make({ orgId, sessionId, userId, strategy });
    const others = held.sessions.filter((one) => one.sessionId !== sessionId);
    const place = { sessionId, folder: shared ? sessionId : null };
    this.#held.set(held.id, { ...held, sessions: [place, ...others], lastUsedAt: Date.now() });
    if (before === undefined) onGiven?.({ sandboxId: held.id, allocationStrategy: strategy, warm: false });
    return held.sandbox;
  }

  #make(given: {
    readonly orgId: string;
    readonly sessionId: string;
    readonly userId: string;
    readonly strategy: SandboxAllocationStrategy;
  }): Held {
    const { orgId, sessionId, userId, strategy } = given;
    const id = newId("sandbox");
    const folder = join(this.#options.folder, id);
    mkdirSync(folder, { recursive: true });
    const now = Date.now();
    const used = { createdAt: now, lastUsedAt: now };
    this.#allocations = [
      {
        orgId,
        id: newId("allocation"),
        sandboxId: id,
        sandboxUrl: localHost.url,
        userId,
        sessionId,
        allocationStrategy: strategy,
        ...used,
        isActive: true,
        endedAt: null,
        endReason: null,
      },
      ...this.#allocations,
    ];
    return {
      orgId,
      id,
      userId,
      strategy,
      ...used,
      sandbox: new PlainSandbox(id, folder),
      host: localHost.name,
      url: localHost.url,
      incarnation: randomUUID(),
      state: "active",
      sessions: [],
      template: "default",
      policy: { limits, egress: { allow: [{ host: "api.example.com", ports: [443] }] } },
      expiresAt: now + 3_600_000,
    };
  }

  #list(orgId: string, { state, userId, sessionId, ...query }: HeldSandboxFilter) {
    const items = [...this.#held.values()].filter(
      (one) =>
        one.orgId === orgId &&
        (state === undefined || one.state === state) &&
        (userId === undefined || one.userId === userId) &&
        (sessionId === undefined || one.sessions.some((session) => session.sessionId === sessionId)),
    );
    return pageOf(items, query);
  }

  #listAllocations(orgId: string, { sandboxId, userId, sessionId, isActive, ...query }: AllocationFilter) {
    const items = this.#allocations.filter(
      (one) =>
        one.orgId === orgId &&
        (sandboxId === undefined || one.sandboxId === sandboxId) &&
        (userId === undefined || one.userId === userId) &&
        (sessionId === undefined || one.sessionId === sessionId) &&
        (isActive === undefined || one.isActive === isActive),
    );
    return pageOf(items, query);
  }

  #ofSession({ orgId, sessionId }: SessionPlace): Held | undefined {
    const { items } = this.#list(orgId, { sessionId, limit: 1 });
    return items[0];
  }

  #found(orgId: string | null, id: string): Held {
    const held = this.#held.get(id);
    if (held === undefined || (orgId !== null && held.orgId !== orgId))
      throw new BerthError("sandbox_not_found", `There is no sandbox ${id}.`);
    return held;
  }

  async #release(place: SessionPlace): Promise<boolean> {
    const held = this.#ofSession(place);
    if (held !== undefined) await this.#end(held.id, "released");
    return held !== undefined;
  }

  async #end(id: string, endReason: string): Promise<void> {
    const held = this.#held.get(id);
    this.#held.delete(id);
    await held?.sandbox.close();
    this.#allocations = this.#allocations.map((one) =>
      one.sandboxId === id && one.isActive
        ? { ...one, isActive: false, endedAt: Date.now(), endReason }
        : one,
    );
  }

  async #probe(): Promise<Capabilities> {
    return { ...capabilities, ...this.#options.capabilities };
  }
}

function pageOf<T extends { readonly id: string }>(
  items: readonly T[],
  { limit, after }: { readonly limit: number; readonly after?: string },
) {
  const rest = items
    .toSorted((a, b) => (a.id < b.id ? 1 : -1))
    .filter(({ id }) => after === undefined || id < after);
  const shown = rest.slice(0, limit);
  return { items: shown, next: rest.length > shown.length ? (shown.at(-1)?.id ?? null) : null };
}

const localHost = {
  name: "local",
  url: "plain://local",
  healthy: true,
  draining: false,
  freeMemoryBytes: 1_073_741_824,
  freeSlots: 10,
};

const capabilities: Capabilities = {
  isolation: "none",
  label: "not isolated",
  cgroup: "none",
  network: "open",
  diskQuota: "none",
  seccomp: false,
  pty: true,
  ports: true,
  reasons: ["Commands run as the server's own user."],
};

const mebibyte = 1_048_576;
const limits: SandboxLimits = {
  memoryBytes: 512 * mebibyte,
  cpus: 1,
  pids: 128,
  diskBytes: 1_024 * mebibyte,
  inodes: 100_000,
  tmpBytes: 256 * mebibyte,
  shmBytes: 64 * mebibyte,
  openFiles: 1_024,
  fileBytes: 512 * mebibyte,
  processes: 8,
};
