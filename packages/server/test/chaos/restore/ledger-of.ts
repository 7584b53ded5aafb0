import { type AcceptedEntry, Ledger } from "../kill-loop/ledger.ts";
import type { Exported } from "../kill-loop/settle.ts";

/**
 * What a restored server has to answer for: what was promised before the backup, and of what came later the inputs that are in its logs all
 * the same, because they came before the copy was taken or after the restore.
 */
export function ledgerOf(
  whole: Ledger,
  logs: ReadonlyMap<string, Exported>,
  promised: readonly AcceptedEntry[],
): Ledger {
  const there = new Set(promised.map(({ inputId }) => inputId));
  for (const { log } of logs.values())
    for (const { inputId } of log) if (inputId !== undefined) there.add(inputId);
  const ledger = new Ledger();
  ledger.accepted.push(...whole.accepted.filter(({ inputId }) => there.has(inputId)));
  ledger.markers.push(
    ...whole.markers.filter(({ accepted, inputId }) => !accepted || (inputId !== null && there.has(inputId))),
  );
  return ledger;
}
