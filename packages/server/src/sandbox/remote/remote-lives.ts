import { BerthError } from "../../lib/errors.ts";
import { lifeCalls } from "../protocol/host-calls.ts";
import { checkSandboxId } from "../sandbox-id.ts";
import type { SandboxProvider, SandboxRef } from "../sandbox.ts";
import { checkedInfo } from "./checked-info.ts";
import type { WatchedHost } from "./watched-host.ts";

export interface LivesOn {
  /** Throws for a host that is not known. */
  readonly hostOf: (name: string) => WatchedHost;
  readonly deployment: string;
  /** Whether only hosts that isolate are used. */
  readonly isolated: boolean;
}

type Lives = Pick<SandboxProvider, "create" | "get" | "renew" | "apply" | "attach" | "destroy">;

/** The lives of sandboxes on hosts. */
export function createRemoteLives({ hostOf, deployment, isolated }: LivesOn): Lives {
  function on({ id, host }: SandboxRef) {
    checkSandboxId(id);
    return { client: hostOf(host).client, made: { id, deployment } };
  }

  return {
    async create(ref, { template, policy, workspaceId }, { signal, ...life }) {
      const { client } = on(ref);
      const args = { ...life, template, policy, isolated, ...(workspaceId !== undefined && { workspaceId }) };
      const made = { args: args, id: ref.id, deployment: life.deployment, signal };
      const info = checkedInfo(
        client.address,
        ref,
        await client.call(lifeCalls.create, made),
        life.incarnation,
      );
      hostOf(ref.host).note({ live: 1, memoryBytes: policy.limits.memoryBytes });
      return info;
    },
    async get(ref) {
      const { client, made } = onOrNull(ref, on) ?? {};
      if (client === undefined || made === undefined) return null;
      const info = await client.call(lifeCalls.get, { ...made, args: {} }).catch(absent(null));
      return info === null ? null : checkedInfo(client.address, ref, info);
    },
    async renew(ref, { incarnation, ttlMs }) {
      const { client, made } = on(ref);
      const info = await client.call(lifeCalls.renew, { ...made, args: { incarnation, ttlMs } });
      return checkedInfo(client.address, ref, info, incarnation);
    },
    async apply(ref, { incarnation, policy }) {
      const { client, made } = on(ref);
      const info = await client.call(lifeCalls.apply, { ...made, args: { incarnation, policy } });
      return checkedInfo(client.address, ref, info, incarnation);
    },
    async attach(ref, { incarnation, workspaceId }) {
      const { client, made } = on(ref);
      const info = await client.call(lifeCalls.attach, { ...made, args: { incarnation, workspaceId } });
      return checkedInfo(client.address, ref, info, incarnation);
    },
    async destroy(ref, { incarnation, reason }) {
      const { client, made } = on(ref);
      const args = { reason: reason.slice(0, 256), ...(incarnation !== undefined && { incarnation }) };
      const answer = await client.call(lifeCalls.destroy, { ...made, args }).catch(absent("absent" as const));
      if (answer === "absent") return answer;
      const host = hostOf(ref.host);
      host.note({ live: -1, memoryBytes: 0 });
      // Its last decisions, while the server still knows whose it was.
      await host.egress?.read();
      return answer;
    },
  };
}

function onOrNull<T>(ref: SandboxRef, on: (ref: SandboxRef) => T): T | null {
  try {
    return on(ref);
  } catch (thrown) {
    if (thrown instanceof BerthError && thrown.code === "sandbox_invalid") return null;
    throw thrown;
  }
}

/** What stands for a sandbox that there is not. */
function absent<T>(value: T): (thrown: unknown) => T {
  return (thrown) => {
    if (thrown instanceof BerthError && thrown.code === "sandbox_not_found") return value;
    throw thrown;
  };
}
