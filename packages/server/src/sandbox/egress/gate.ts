import type { Duplex } from "node:stream";
import type { AddressRules } from "../../lib/address-rules.ts";
import { checkedAddresses, type Resolve, type ResolvedAddress } from "../../lib/checked-addresses.ts";
import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { EgressReason } from "../egress-decision.ts";
import type { EgressLimits } from "./limits.ts";
import type { CompiledPolicy, Grant } from "./policy.ts";
import type { EgressReports } from "./reports.ts";
import type { Target } from "./target.ts";

/** One way out that is being opened or stands. */
export interface Passage {
  readonly target: Target;
  end(): void;
}

/** What the handlers of one sandbox's proxy share. */
export interface Gate {
  readonly clock: Clock;
  readonly limits: EgressLimits;
  readonly reports: EgressReports;
  readonly resolve: Resolve;
  readonly rules: AddressRules;
  /** Who certifies hosts, as PEM; undefined: those that Node trusts. */
  readonly authorities: string | undefined;
  readonly passages: Set<Passage>;
  policy: CompiledPolicy;
  /** Connections whose requests are for one place, because they were tunnelled to it. */
  readonly inside: WeakMap<Duplex, Target>;
  /** Reads plain requests out of what was to be a tunnel. */
  handOver(client: Duplex, target: Target): void;
}

export type Judgement =
  | { readonly grant: Grant; readonly addresses: readonly ResolvedAddress[] }
  | { readonly refused: EgressReason };

/** Looks a target up in the policy, and only then resolves it: once, with every address checked. */
export async function judge(gate: Gate, target: Target): Promise<Judgement> {
  const grant = gate.policy.judge(target);
  if (typeof grant === "string") return { refused: grant };
  try {
    const place = { host: target.host, port: grant.port };
    const resolve: Resolve = (host) => inTime(gate, gate.resolve(host));
    return { grant, addresses: await checkedAddresses(place, { rules: gate.rules, resolve }) };
  } catch (error) {
    return {
      refused:
        error instanceof BerthError && error.code === "address_refused" ? "address_refused" : "unresolved",
    };
  }
}

/** A resolver cannot be stopped; its late answer is not waited for. */
async function inTime<T>({ clock, limits }: Gate, answer: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = clock.after(limits.resolveMs, () => reject(new Error("the resolver is slow")));
  try {
    return await Promise.race([answer, promise]);
  } finally {
    timer.cancel();
  }
}

const failures: readonly EgressReason[] = ["unresolved", "unreachable", "no_tls", "timeout"];

/** Whether something that may be reached could not be: no denial. */
export function isFailure(reason: EgressReason): boolean {
  return failures.includes(reason);
}
