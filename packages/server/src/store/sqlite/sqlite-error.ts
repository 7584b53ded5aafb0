import { BerthError } from "../../lib/errors.ts";

const full = 13;
/** PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, CANTOPEN, PROTOCOL: the database may answer again later. */
const passing: ReadonlySet<number> = new Set([3, 5, 6, 7, 8, 10, 14, 15]);
/** CORRUPT, NOTADB. */
const broken: ReadonlySet<number> = new Set([11, 26]);

function resultCode(thrown: unknown): number | null {
  if (!(thrown instanceof Error) || !("errcode" in thrown) || typeof thrown.errcode !== "number") return null;
  return thrown.errcode & 0xff;
}

/** True for what says something about the database and not about one statement: then no operation of a batch may stand. */
export function failsWholeBatch(thrown: unknown): boolean {
  const code = resultCode(thrown);
  return code !== null && (code === full || passing.has(code) || broken.has(code));
}

/** A driver's error as a BerthError; BerthErrors come back as they are. */
export function asStoreError(thrown: unknown): BerthError {
  if (thrown instanceof BerthError) return thrown;
  const code = resultCode(thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (code === full) {
    return new BerthError("disk_full", "The disk of the data folder is full: make room and try again.", {
      retryable: true,
      cause: thrown,
    });
  }
  if (code !== null && (passing.has(code) || broken.has(code))) {
    return new BerthError("store_unavailable", `The database cannot be used just now (${message}).`, {
      retryable: passing.has(code),
      cause: thrown,
    });
  }
  const quota = /^quota_exceeded (\w+) (\d+) (\d+)$/.exec(message);
  if (quota !== null) return quotaExceeded(quota[1] ?? "", Number(quota[2]), Number(quota[3]));
  return new BerthError("internal", `The database refused a statement (${message}).`, { cause: thrown });
}

const countedAs: Readonly<Record<string, string>> = {
  sessions: "sessions",
  storedBytes: "bytes of stored files",
  agents: "agents",
  apiKeys: "API keys",
  members: "members",
};

/** What the triggers of the quotas say. `wanted` is how many there would be. */
function quotaExceeded(name: string, limit: number, wanted: number): BerthError {
  const what = countedAs[name] ?? name;
  return new BerthError(
    "quota_exceeded",
    `Your organization may have ${limit} ${what}, and this would make ${wanted}: remove some, or ask the operator for more.`,
    { details: { quota: name, limit, wanted } },
  );
}

/** What every call gets once the store is closed or its writer has died. */
export function storeClosed(why: string): BerthError {
  return new BerthError("store_unavailable", `The store is ${why}.`, { retryable: true });
}
