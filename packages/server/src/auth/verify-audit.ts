import { setImmediate } from "node:timers/promises";
import type { AuditAnchor, AuditChain, AuditRecord, OrgAudit } from "../store/audit.ts";
import { isOwnCut, saysWhatItSaid } from "./audit-chain.ts";

/** What is wrong with the first bad entry. */
export type AuditFault =
  /** It does not say what it said when it was sealed. */
  | "changed"
  /** There is no entry of this number, though there are later ones. */
  | "missing"
  /** It was sealed at another place of the log. */
  | "reordered"
  /** It is earlier than the entry before it. */
  | "clock_back"
  /** The log once went on to here, and ends before. */
  | "truncated"
  /** It is not the entry that an anchor outside the store tells of: the log was replaced from some place on. */
  | "replaced"
  /** The log says that older entries were removed, and this server did not do that. */
  | "forged_cut"
  /** The entry is there, and the log's own note of its last entry says something else. */
  | "wrong_head";

export interface AuditVerdict {
  readonly ok: boolean;
  /** Entries that were looked at: all sealed ones up to the first bad one. */
  readonly rows: number;
  readonly firstBad: { readonly number: number; readonly id: string | null; readonly why: AuditFault } | null;
  /** The number of the first entry that is kept, when older ones were removed; else 1. */
  readonly begins: number;
  /** Entries whose personal part was blanked. */
  readonly erased: number;
  readonly unsealed: AuditChain["unsealed"];
}

export interface Verification {
  readonly key: Buffer;
  readonly orgId: string;
  readonly audit: Pick<OrgAudit, "chain" | "sealedAfter">;
  /** Of this organization, from outside the store. */
  readonly anchors: readonly AuditAnchor[];
}

const page = 1_000;
/** How far from its place an entry that does not fit is looked for. */
const nearby = 200;

/** Reads an organization's whole log and finds the first entry that is not what was sealed. Entries that are written meanwhile do not matter. */
export async function verifyAudit(verification: Verification): Promise<AuditVerdict> {
  const { audit } = verification;
  for (;;) {
    const chain = await audit.chain();
    const verdict = await walk(verification, chain);
    // A cut that was made meanwhile takes away what was to be read.
    if (verdict.ok || (await audit.chain()).cut?.number === chain.cut?.number) return verdict;
  }
}

async function walk(verification: Verification, chain: AuditChain): Promise<AuditVerdict> {
  const { key, orgId, audit } = verification;
  const { cut, head, unsealed } = chain;
  const begins = (cut?.number ?? 0) + 1;
  const seen = { number: begins - 1, mac: cut?.mac ?? "", at: 0, rows: 0, erased: 0 };
  const verdict = (firstBad: AuditVerdict["firstBad"]): AuditVerdict => ({
    ok: firstBad === null,
    rows: seen.rows,
    firstBad,
    begins,
    erased: seen.erased,
    unsealed,
  });
  if (cut !== null && !isOwnCut(key, orgId, cut)) {
    return verdict({ number: cut.number, id: null, why: "forged_cut" });
  }
  const anchors = new Map(verification.anchors.map((anchor) => [anchor.number, anchor.mac]));
  // What was sealed after the head was read is left for the next verification.
  const last = head?.number ?? Number.MAX_SAFE_INTEGER;
  while (seen.number < last) {
    const entries = await audit.sealedAfter(seen.number, page);
    if (entries.length === 0) break;
    // A long log is verified between other requests.
    await setImmediate();
    for (const entry of entries) {
      if (seen.number >= last) break;
      const why = faultOf(key, entry, seen) ?? anchorFault(entry, anchors);
      if (why === "missing") return verdict({ number: seen.number + 1, id: null, why });
      seen.rows += 1;
      const number = entry.seal?.number ?? seen.number + 1;
      if (why !== null) return verdict({ number, id: entry.id, why });
      seen.number = number;
      seen.mac = entry.seal?.mac ?? "";
      seen.at = entry.at;
      if (entry.erased) seen.erased += 1;
    }
  }
  const known = Math.max(head?.number ?? 0, ...anchors.keys());
  if (known > seen.number) return verdict({ number: seen.number + 1, id: null, why: "truncated" });
  const headFits = head === null ? seen.rows === 0 : head.mac === seen.mac && head.number === seen.number;
  return verdict(headFits ? null : { number: seen.number, id: null, why: "wrong_head" });
}

interface Before {
  readonly number: number;
  readonly mac: string;
  readonly at: number;
}

function faultOf(key: Buffer, entry: AuditRecord, before: Before): AuditFault | null {
  const number = entry.seal?.number ?? 0;
  if (number !== before.number + 1) return "missing";
  const place = { number, previous: before.mac };
  if (!saysWhatItSaid(key, entry, place) || entry.seal?.previous !== before.mac) {
    return sealedElsewhere(key, entry) ? "reordered" : "changed";
  }
  return entry.at < before.at ? "clock_back" : null;
}

function sealedElsewhere(key: Buffer, entry: AuditRecord): boolean {
  if (entry.seal === null) return false;
  const { number: own, previous } = entry.seal;
  for (let number = Math.max(1, own - nearby); number <= own + nearby; number++) {
    if (saysWhatItSaid(key, entry, { number, previous })) return true;
  }
  return false;
}

function anchorFault(entry: AuditRecord, anchors: ReadonlyMap<number, string>): AuditFault | null {
  const expected = anchors.get(entry.seal?.number ?? 0);
  return expected === undefined || expected === entry.seal?.mac ? null : "replaced";
}
