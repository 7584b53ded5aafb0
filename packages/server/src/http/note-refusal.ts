import { holderOf } from "../auth/unauthenticated.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import type { OperationsContext } from "../operations/context.ts";
import type { Refusal } from "../operations/refusals.ts";
import { type ErrorCode, errorStatuses, isErrorCode } from "./error-codes.ts";

/** What is missing inside a thing that one may reach, or was never there: nobody was kept out. */
const onlyMissing: ReadonlySet<ErrorCode> = new Set([
  "file_not_found",
  "preview_not_found",
  "process_not_found",
  "route_not_found",
  "session_not_live",
]);

interface Refused {
  readonly thrown: unknown;
  readonly principal: Principal | null;
  readonly route: string;
  /** What the request names in its path. */
  readonly params: Readonly<Record<string, string>>;
  readonly requestId: string | null;
  readonly address: string | null;
}

/**
 * Puts a refused access of somebody known into the audit log: 403; 404 of a thing with an id, which may be another organization's;
 * and 401 with a credential that was once good. Resolves with what to answer: what was thrown, or why that cannot be written.
 */
export async function noteRefusal(operations: OperationsContext, refused: Refused): Promise<unknown> {
  const refusal = refusalOf(refused);
  if (refusal === null) return refused.thrown;
  return operations.audit.refusals.note(refusal).then(
    () => refused.thrown,
    (failed: unknown) => failed,
  );
}

function refusalOf({ thrown, principal, params, ...about }: Refused): Refusal | null {
  if (!(thrown instanceof BerthError) || !isErrorCode(thrown.code)) return null;
  const { code } = thrown;
  const status = errorStatuses[code];
  if (status !== 401 && status !== 403 && (status !== 404 || onlyMissing.has(code))) return null;
  const holder = principal ?? holderOf(thrown);
  if (holder === null) return null;
  const { orgId, type, id, name, credential } = holder;
  return {
    ...about,
    orgId,
    actor: { type, id, name },
    credential: `${credential.kind}:${credential.id}`,
    code,
    target: targetOf(params),
  };
}

function targetOf(params: Readonly<Record<string, string>>): Refusal["target"] {
  const [named] = Object.entries(params);
  if (named === undefined) return null;
  return { type: named[0].replace(/Id$/, "").toLowerCase(), id: named[1] };
}
