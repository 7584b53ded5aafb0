/**
 * Why the egress proxy let something through or did not. `unresolved`, `unreachable` and `timeout`: it may be reached, and could not be.
 * `secret_elsewhere`: a request went out with the placeholder of a secret that is not for that host, and the placeholder stayed.
 */
export type EgressReason =
  | "allowed"
  | "unresolved"
  | "unreachable"
  | "timeout"
  | "not_listed"
  | "port_not_listed"
  | "address_refused"
  | "userinfo"
  | "bad_target"
  | "host_mismatch"
  | "bad_request"
  | "upgrade"
  | "too_many_connections"
  | "policy_changed"
  | "secret_elsewhere";

/** What a sandbox asked of the egress proxy, and what became of it. Holds no path, no query, no header and no secret. */
export interface EgressDecision {
  /** As it was understood: lower case, addresses in their usual form. Printable ASCII, at most 100 characters; `*` for many together. */
  readonly host: string;
  /** 0 where none was understood. */
  readonly port: number;
  readonly method: string;
  readonly verdict: "allowed" | "denied";
  readonly reason: EgressReason;
  /** The checked address that was dialled. */
  readonly address: string | null;
  /** How often, since this was last told; 0: it only brings the bytes of what was told before. Their sum is the number of decisions. */
  readonly count: number;
  /** Since this was last told: from the sandbox, and to it. */
  readonly bytesOut: number;
  readonly bytesIn: number;
}
