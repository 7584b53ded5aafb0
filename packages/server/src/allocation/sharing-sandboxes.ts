import { newId } from "../lib/id.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { SandboxOwner } from "../store/sandboxes.ts";
import { type AllocationContext, systemAudit } from "./allocation-context.ts";
import { CountedSandbox, sandboxGone } from "./counted-sandbox.ts";
import type { EndingSandboxes } from "./ending-sandboxes.ts";
import type { Held, HeldSandboxes, Sharer } from "./held-sandboxes.ts";

interface SharingParts {
  readonly context: AllocationContext;
  readonly held: HeldSandboxes;
  readonly ending: EndingSandboxes;
  /** Something that went on in one has ended: whoever waits may have its place. */
  readonly onIdle: () => void;
}

/** The server that looks after a sandbox is told of its use here at least so often. */
const guestNoteMs = 2_000;

/** Lets sessions into sandboxes, and counts what they do there. */
export class SharingSandboxes {
  readonly #parts: SharingParts;

  constructor(parts: SharingParts) {
    this.#parts = parts;
  }

  /** Lets a session in; with `join` its allocation is written, because the sandbox was there already. Rejects with `sandbox_gone` when it is not any more. */
  async share(
    held: Held,
    session: {
      readonly owner: SandboxOwner;
      readonly folder: string | null;
      readonly environment: Readonly<Record<string, string>>;
      readonly join: boolean;
    },
  ): Promise<Sandbox> {
    const { context } = this.#parts;
    const { owner, folder, environment } = session;
    if (session.join) await this.#join(held, owner);
    const sandbox = await this.#open(held, folder);
    if (held.ending) throw sandboxGone();
    const sharer = this.#sharer(held, { sandbox, sessionId: owner.sessionId, environment });
    this.#parts.held.share(held, sharer);
    this.#parts.held.noteUse(held, owner.sessionId);
    context.step("allocation.shared");
    return sharer.view;
  }

  /** A view of a sandbox as a whole, for whoever looks after it. */
  async whole(held: Held): Promise<Sandbox> {
    const known = held.sharers.get("");
    if (known !== undefined) return known.view;
    const sandbox = await this.#open(held, null);
    const sharer = this.#sharer(held, { sandbox, sessionId: null, environment: {} });
    this.#parts.held.share(held, sharer);
    return sharer.view;
  }

  /** That the session came back counts as use. */
  used(held: Held, { sessionId }: Sharer): void {
    this.#parts.held.noteUse(held, sessionId);
  }

  /** Ends what a session runs in a sandbox that others share; the sandbox stays. */
  async leave(held: Held, sessionId: string): Promise<void> {
    const sharer = this.#parts.held.unshare(held, sessionId);
    if (sharer === null) return;
    sharer.ending.abort();
    const kills = [...sharer.processes].map((id) => sharer.sandbox.kill(id));
    const failed = (await Promise.allSettled(kills)).find(({ status }) => status === "rejected");
    if (failed === undefined || held.ending) return;
    // What cannot be ended alone ends with all of it.
    await this.#parts.ending.endHeld(held, { reason: "released", evenIfGuest: true });
  }

  async #open(held: Held, folder: string | null): Promise<Sandbox> {
    const { provider } = this.#parts.context;
    try {
      return await provider.connect(held.ref, { ...(folder !== null && { folder }) });
    } catch (error) {
      const info = await provider.get(held.ref);
      if (info?.incarnation === held.key.incarnation) throw error;
      await this.#lost(held);
      throw sandboxGone();
    }
  }

  async #join(held: Held, owner: SandboxOwner): Promise<void> {
    const { context, ending } = this.#parts;
    const { key } = held;
    const joined = await context.store.system.sandboxes.join({
      ...key,
      owner,
      orgId: owner.orgId,
      allocationId: newId("allocation", context.clock.now()),
      audit: systemAudit(context, {
        action: "sandbox.allocated",
        target: { type: "sandbox", id: key.id },
        details: { sessionId: owner.sessionId, userId: owner.userId, strategy: owner.strategy },
      }),
    });
    if (joined) return;
    const record = await context.store.system.sandboxes.find(key.id);
    if (record?.state === "active" && record.incarnation === key.incarnation) return;
    ending.drop(held);
    throw sandboxGone();
  }

  #sharer(
    held: Held,
    { sandbox, sessionId, environment }: Pick<Sharer, "sandbox" | "sessionId" | "environment">,
  ): Sharer {
    const { context, held: sandboxes, onIdle } = this.#parts;
    const { telemetry } = context;
    const { orgId } = held.owner;
    const view: CountedSandbox = new CountedSandbox(
      {
        held,
        sandboxes,
        noteGuest: () => this.#noteGuest(held),
        onLost: () => this.#lost(held),
        onIdle,
        onCommand: ({ reason, durationMs }) =>
          telemetry.commandEnded({
            sandboxId: held.key.id,
            reason,
            durationMs,
            orgId,
            ...(sessionId !== null && { sessionId }),
          }),
      },
      sandbox,
      () => sharer,
    );
    const sharer: Sharer = {
      sandbox,
      sessionId,
      environment,
      view,
      ending: new AbortController(),
      processes: new Set(),
    };
    return sharer;
  }

  #lost({ key, ref, owner }: Held): Promise<void> {
    return this.#parts.ending.markLost({ ...key, host: ref.host, orgId: owner.orgId });
  }

  async #noteGuest(held: Held): Promise<void> {
    const { context, ending } = this.#parts;
    const now = context.clock.monotonic();
    const { guest, key } = held;
    if (guest === null || now - guest.notedAt < guestNoteMs) return;
    const gone = await context.store.system.sandboxes.touch([
      { ...key, sessionIds: [], agoMs: 0, guest: true },
    ]);
    if (gone.length === 0) {
      guest.notedAt = now;
      return;
    }
    ending.drop(held);
    throw sandboxGone();
  }
}
