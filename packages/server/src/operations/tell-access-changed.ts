import { hintAuth } from "../auth/auth-hints.ts";
import type { OperationsContext } from "./context.ts";

/**
 * After whatever narrows or ends access in an organization: what was remembered of its principals is dropped, and open streams are
 * looked at again. Null: wherever a person belongs.
 */
export function tellAccessChanged({ bus }: Pick<OperationsContext, "bus">, orgId: string | null): void {
  hintAuth(bus, orgId);
}
