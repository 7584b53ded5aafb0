/**
 * Why the egress proxy let something through or did not. `unresolved`, `unreachable`, `no_tls` and `timeout`: it may be reached,
 * and could not be; with `no_tls` because it gets secrets, which leave over TLS alone, and did not speak that.
 * `secret_elsewhere`: a request went out with the placeholder of a secret that is not for that host, and the placeholder stayed.
 */
export const egressReasons = [
  "allowed",
  "unresolved",
  "unreachable",
  "no_tls",
  "timeout",
  "not_listed",
  "port_not_listed",
  "address_refused",
  "userinfo",
  "bad_target",
  "host_mismatch",
  "bad_request",
  "upgrade",
  "too_many_connections",
  "policy_changed",
  "secret_elsewhere",
] as const;
export type EgressReason = (typeof egressReasons)[number];

/** `failed`: it may be reached, and was not. */
export const egressVerdicts = ["allowed", "denied", "failed"] as const;
export type EgressVerdict = (typeof egressVerdicts)[number];

/** Characters of a host's name that are told. */
export const mostHostShown = 100;

/** What a sandbox asked of the egress proxy, and what became of it. Holds no path, no query, no header and no secret. */
export interface EgressDecision {
  /** As it was understood: lower case, addresses in their usual form. Printable ASCII, at most 100 characters; `*` for many together. */
  readonly host: string;
  /** 0 where none was understood. */
  readonly port: number;
  readonly method: string;
  readonly verdict: EgressVerdict;
  readonly reason: EgressReason;
  /** The checked address that was dialled. */
  readonly address: string | null;
  /** How often, since this was last told; 0: it only brings the bytes of what was told before. Their sum is the number of decisions. */
  readonly count: number;
  /** Since this was last told: from the sandbox, and to it. */
  readonly bytesOut: number;
  readonly bytesIn: number;
}

/** Who is told what sandboxes of other machines asked for. */
export interface EgressListener {
  /** Whether a host may tell of a sandbox: whether the server has it there. */
  readonly isOn: (sandboxId: string, host: string) => Promise<boolean>;
  /** Each decision once. Must not throw. */
  decided(sandboxId: string, decision: EgressDecision): void;
  /** Decisions that are not told. `dropped`: the host had no more room for them; `foreign`: they were of sandboxes that it does not have. */
  lost(event: { readonly host: string; readonly why: "dropped" | "foreign"; readonly count: number }): void;
  /** Decisions of a host cannot be had for now. Called once until they can. */
  failed(event: { readonly host: string; readonly error: unknown }): void;
}
