import { randomUUID } from "node:crypto";
import { backoffMs } from "../lib/backoff.ts";
import { newId } from "../lib/id.ts";
import { shownPolicy } from "../sandbox/shown-policy.ts";
import type { SandboxRecord } from "../store/sandboxes.ts";
import type { AllocationContext } from "./allocation-context.ts";
import { policyOf, templateOf } from "./allocation-settings.ts";
import type { EndingSandboxes } from "./ending-sandboxes.ts";
import type { MakingSandboxes } from "./making-sandboxes.ts";
import { chooseHost, hasRoom } from "./placement.ts";

/** As many are made in one go; the rest follow when the reaper looks. */
const atOnce = 4;
const retry = { baseMs: 1_000, capMs: 60_000 };

/** Keeps sandboxes ready before anybody needs one. */
export class WarmPool {
  readonly #context: AllocationContext;
  readonly #making: MakingSandboxes;
  readonly #ending: EndingSandboxes;
  #filling: Promise<void> | null = null;
  #again = false;
  #failures = 0;
  /** Monotonic: after a failure the pool rests. */
  #restUntil = 0;
  #closed = false;

  constructor(context: AllocationContext, making: MakingSandboxes, ending: EndingSandboxes) {
    this.#context = context;
    this.#making = making;
    this.#ending = ending;
  }

  /** As many as there should be: none where one could not be given a workspace. */
  get size(): number {
    return this.#making.canAttach ? this.#context.settings.warm : 0;
  }

  get template(): string {
    const { settings } = this.#context;
    return templateOf(settings, policyOf(settings, undefined, []));
  }

  /** Whether a ready one is of no use any more. */
  isStale({ template }: Pick<SandboxRecord, "template">): boolean {
    return this.size === 0 || template !== this.template;
  }

  /** Makes what is missing, behind the caller's back. */
  refill(): void {
    if (this.#closed || this.size === 0) return;
    this.#again = true;
    if (this.#filling !== null) return;
    this.#filling = this.#fill().finally(() => (this.#filling = null));
    this.#ending.behind(this.#filling);
  }

  /** Ends the oldest that is ready on a host, because the room is needed. False when there is none. */
  async endOne(host: string): Promise<boolean> {
    const rows = await this.#context.store.system.sandboxes.live();
    const oldest = rows.find((row) => row.state === "warm" && row.host === host);
    return oldest !== undefined && (await this.#ending.endRow(oldest, { reason: "room_needed" }));
  }

  close(): void {
    this.#closed = true;
  }

  async #fill(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      for (let made = 0; made < atOnce && (await this.#makeOne()); made++);
    }
  }

  /** False when there are enough, or none can be made now. */
  async #makeOne(): Promise<boolean> {
    const { store, provider, clock, settings, instanceId, deployment } = this.#context;
    if (this.#closed || clock.monotonic() < this.#restUntil) return false;
    const policy = policyOf(settings, undefined, []);
    const host = await chooseHost(provider);
    if (host === null || !hasRoom(host, policy.limits)) return false;
    const key = { id: newId("sandbox", clock.now()), incarnation: randomUUID() };
    this.#making.begin(key.id);
    try {
      const record = await store.system.sandboxes.reserveWarm({
        ...key,
        deployment: await deployment(),
        provider: provider.kind,
        template: this.template,
        ownerInstance: instanceId,
        policy: shownPolicy(policy),
        maxLifeMs: settings.maxLifeMs,
        idleTtlMs: settings.idleTtlMs,
        host: host.name,
        most: this.size,
      });
      if (record === null) return false;
      return await this.#make(record, host.name);
    } finally {
      this.#making.end(key.id);
    }
  }

  async #make(record: SandboxRecord, host: string): Promise<boolean> {
    const { store, clock, settings, step } = this.#context;
    const { id, incarnation } = record;
    try {
      const { url } = await this.#making.make(record, { host, policy: policyOf(settings, undefined, []) });
      step("allocation.warm");
      const warm = await store.system.sandboxes.move({
        id,
        incarnation,
        from: ["creating"],
        to: "warm",
        url,
      });
      this.#failures = 0;
      if (warm === null) await this.#ending.endRow(record, { reason: "not_made" });
      return warm !== null;
    } catch {
      // The reason is counted where it was made.
      const restMs = Math.max(retry.baseMs, backoffMs({ attempt: this.#failures++, ...retry }));
      this.#restUntil = clock.monotonic() + restMs;
      await this.#ending.endRow(record, { reason: "not_made" });
      return false;
    }
  }
}
