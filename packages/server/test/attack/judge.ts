import { openNaiveHost } from "./naive-host.ts";
import type { Finding, Row } from "./row.ts";
import type { Target, Tenant } from "./target.ts";

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

interface Proof {
  /** Null: nothing. */
  readonly found: string | null;
}

/** What was proven in this run: the detector is the same whatever is attacked. */
const proofs = new Map<string, Promise<Proof>>();

/** Whether a row's detector finds something where nothing holds. Null: the row has no naive variant. */
async function proveDetector({ id, naive }: Row): Promise<Proof | null> {
  if (naive === undefined) return null;
  const proving = proofs.get(id) ?? proveOn(naive);
  proofs.set(id, proving);
  return await proving;
}

async function proveOn(naive: NonNullable<Row["naive"]>): Promise<Proof> {
  const host = await openNaiveHost();
  try {
    const { leaks } = await naive(host);
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
  try {
    const proof = await proveDetector(row);
    if (proof !== null && proof.found === null)
      return result("blind", "the detector finds nothing where nothing holds", null);
    const { leaks, seen } = await runOn(target, row);
    const naive = proof?.found ?? null;
    return leaks.length === 0 ? result("held", seen, naive) : result("leaked", leaks.join("; "), naive);
  } catch (error) {
    return result("failed", error instanceof Error ? error.message : String(error), null);
  }
}

/** Its tenants end with it: they would take room and time from the attacks that follow. */
async function runOn(target: Target, row: Row): Promise<Finding> {
  const tenants: Tenant[] = [];
  const tenant: Target["tenant"] = async (wish) => {
    const made = await target.tenant(wish);
    tenants.push(made);
    return made;
  };
  try {
    return await row.run({ ...target, tenant });
  } finally {
    for (const made of tenants) await made.end();
  }
}
