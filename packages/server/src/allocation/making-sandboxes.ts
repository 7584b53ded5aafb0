import type { TimerHandle } from "../lib/clock.ts";
import { asBerthError, BerthError } from "../lib/errors.ts";
import type { SandboxInfo, SandboxPolicy, SandboxRef } from "../sandbox/sandbox.ts";
import type { SandboxRecord } from "../store/sandboxes.ts";
import { type AllocationContext, providerTtlMs } from "./allocation-context.ts";
import { samePolicy } from "./allocation-settings.ts";

/** No provider takes so long. */
export const createMs = 60_000;
const healthMs = 250;
/** Less than that of the life that a provider was asked to keep means that it was not asked. */
const ttlToleranceMs = 60_000;

interface ToMake {
  readonly host: string;
  readonly policy: SandboxPolicy;
  /** None: a warm one. */
  readonly workspaceId?: string;
  readonly signal?: AbortSignal;
}

/** Has providers make sandboxes, and makes ready those that are claimed. Believes nothing that it has not read back. */
export class MakingSandboxes {
  readonly #context: AllocationContext;
  readonly #making = new Set<string>();
  #canAttach = true;

  constructor(context: AllocationContext) {
    this.#context = context;
  }

  /** Whether a warm sandbox can be given a workspace; found by trying. */
  get canAttach(): boolean {
    return this.#canAttach;
  }

  /** Whether this server is at work on it: its row is no leftover. */
  isMaking(id: string): boolean {
    return this.#making.has(id);
  }

  begin(id: string): void {
    this.#making.add(id);
  }

  end(id: string): void {
    this.#making.delete(id);
  }

  /** Makes the sandbox of a row that was requested. The caller ends it when this rejects. */
  async make(record: SandboxRecord, { host, policy, workspaceId, signal }: ToMake): Promise<SandboxInfo> {
    const { store, provider, probe, clock, telemetry, step, deployment } = this.#context;
    const { id, incarnation, template } = record;
    const { unavailable } = await probe();
    if (unavailable !== undefined)
      throw new BerthError("sandbox_unavailable", `There is no sandbox: ${unavailable}.`);
    const placed = await store.system.sandboxes.move({
      id,
      incarnation,
      from: ["requested"],
      to: "creating",
      host,
    });
    if (placed === null) throw takenBack();
    step("allocation.intent");
    const begun = clock.monotonic();
    const spec = { template, policy, ...(workspaceId !== undefined && { workspaceId }) };
    const limit = this.#limit(createMs, signal);
    try {
      const options = {
        incarnation,
        deployment: await deployment(),
        ttlMs: providerTtlMs,
        signal: limit.signal,
      };
      const info = await provider.create({ id, host }, spec, options);
      step("allocation.created");
      this.#assertMade(info, record, { policy, workspaceId: workspaceId ?? null });
      telemetry.sandboxCreated({ sandboxId: id, host, outcome: "ok", durationMs: clock.monotonic() - begun });
      return info;
    } catch (error) {
      const { code } = asBerthError(error);
      telemetry.sandboxCreated({ sandboxId: id, host, outcome: code, durationMs: clock.monotonic() - begun });
      throw error;
    } finally {
      limit.timer.cancel();
    }
  }

  /** Makes a warm one that was claimed somebody's: healthy, its life renewed, held to the policy, with the workspace; all of it read back. */
  async prepare(record: SandboxRecord, policy: SandboxPolicy, workspaceId: string): Promise<SandboxInfo> {
    const { provider, step } = this.#context;
    const { id, incarnation, host } = record;
    step("allocation.claimed");
    if (host === null) throw notAsAsked(id, "its host is unknown");
    const ref = { id, host };
    await this.#assertHealthy(ref);
    await provider.renew(ref, { incarnation, ttlMs: providerTtlMs });
    await provider.apply(ref, { incarnation, policy });
    try {
      await provider.attach(ref, { incarnation, workspaceId });
    } catch (error) {
      if (asBerthError(error).code === "sandbox_unsupported") this.#canAttach = false;
      throw error;
    }
    const info = await provider.get(ref);
    if (info === null) throw notAsAsked(id, "it is not there");
    this.#assertMade(info, record, { policy, workspaceId });
    return info;
  }

  async #assertHealthy(ref: SandboxRef): Promise<void> {
    const { provider, clock } = this.#context;
    const ask = async () => await (await provider.connect(ref)).health();
    const { problem } = await new Promise<{ problem: string | null }>((resolve, reject) => {
      const timer = clock.after(healthMs, () => resolve({ problem: "it does not answer" }));
      ask()
        .then(
          ({ ok, problem: what }) => resolve({ problem: ok ? null : (what ?? "it is not healthy") }),
          reject,
        )
        .finally(() => timer.cancel());
    });
    if (problem !== null) throw notAsAsked(ref.id, problem);
  }

  #assertMade(
    info: SandboxInfo,
    record: SandboxRecord,
    wanted: { readonly policy: SandboxPolicy; readonly workspaceId: string | null },
  ): void {
    const { id, incarnation } = record;
    if (info.id !== id || info.incarnation !== incarnation) throw notAsAsked(id, "it is another one");
    if (info.workspaceId !== wanted.workspaceId) throw notAsAsked(id, "it has another workspace");
    if (!samePolicy(info.policy, wanted.policy)) throw notAsAsked(id, "another policy is in force");
    if (info.ttlLeftMs < providerTtlMs - ttlToleranceMs) throw notAsAsked(id, "its life was not renewed");
  }

  #limit(ms: number, signal: AbortSignal | undefined): { signal: AbortSignal; timer: TimerHandle } {
    const late = new AbortController();
    const timer = this.#context.clock.after(ms, () => late.abort());
    return { signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]), timer };
  }
}

function notAsAsked(id: string, what: string): BerthError {
  return new BerthError("sandbox_host_error", `The sandbox ${id} is not as it was asked for: ${what}.`, {
    retryable: true,
  });
}

export function takenBack(): BerthError {
  return new BerthError("sandbox_gone", "The sandbox was taken back while it was made; try again.", {
    retryable: true,
  });
}
