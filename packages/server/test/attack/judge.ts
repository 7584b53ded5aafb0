import { openNaiveHost } from "./naive-host.ts";
import type { Row } from "./row.ts";
import type { Target } from "./target.ts";

export type Verdict = "held" | "leaked" | "blind" | "not expected" | "failed";

/** One line of the table. */
export interface Result {
  readonly id: string;
  readonly attack: string;
  readonly target: string;
  /** `blind`: the detector found nothing where nothing holds. `not expected`: the provider does not say that it holds this. */
  readonly verdict: Verdict;
  readonly seen: string;
  /** What leaked from the naive variant; null where there is none. */
  readonly naive: string | null;
  readonly ms: number;
}

/** Whether a row's detector finds something where nothing holds. Null: the row has no naive variant. */
export async function proveDetector(row: Row): Promise<{ readonly found: string | null } | null> {
  if (row.naive === undefined) return null;
  const host = await openNaiveHost();
  try {
    const { leaks } = await row.naive(host);
    return { found: leaks.find((leak) => !leak.includes("the probe did not run")) ?? null };
  } finally {
    await host.close();
  }
}

/** Runs one attack against a target, and its detector against the host. Never rejects. */
export async function judge(row: Row, target: Target): Promise<Result> {
  const began = performance.now();
  const result = (verdict: Verdict, seen: string, naive: string | null): Result => ({
    id: row.id,
    attack: row.name,
    target: target.name,
    verdict,
    seen,
    naive,
    ms: Math.round(performance.now() - began),
  });
  const reason = row.without?.(target.caps) ?? null;
  if (reason !== null) return result("not expected", reason, null);
  if (row.id === "SBX-21" && target.request === null) return result("not expected", "no server", null);
  try {
    const proof = await proveDetector(row);
    if (proof !== null && proof.found === null)
      return result("blind", "the detector finds nothing where nothing holds", null);
    const { leaks, seen } = await row.run(target);
    const naive = proof?.found ?? null;
    return leaks.length === 0 ? result("held", seen, naive) : result("leaked", leaks.join("; "), naive);
  } catch (error) {
    return result("failed", error instanceof Error ? error.message : String(error), null);
  }
}
