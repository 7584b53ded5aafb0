import type { IncomingMessage } from "node:http";
import type { OperationsContext } from "../../operations/context.ts";
import { sandboxNotFound } from "../../operations/sandbox-access.ts";
import { previewedSandbox } from "../../operations/sandbox-ports.ts";
import { peerOf } from "../peer.ts";
import type { StreamWatch } from "../stream-watch.ts";
import type { Admitted } from "./admit.ts";
import { TooMany } from "./refusal.ts";

/** Requests to one preview at once. */
const maxAtOnce = 100;

export interface DuringOptions {
  readonly operations: OperationsContext;
  readonly watch: Pick<StreamWatch, "add">;
}

/** Runs what may last: until it is over, the preview is, or the server stops. Throws `TooMany`. */
export function createDuring({ operations, watch }: DuringOptions, closing: AbortSignal) {
  const { previews } = operations;
  /** By label. */
  const atOnce = new Map<string, number>();

  return async (
    { grant, token, principal }: Admitted,
    request: IncomingMessage,
    run: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> => {
    const { label, sandboxId } = grant;
    const count = atOnce.get(label) ?? 0;
    if (count >= maxAtOnce) throw new TooMany();
    atOnce.set(label, count + 1);
    const over = new AbortController();
    const end = () => over.abort();
    const unwatch = watch.add({
      principal,
      peer: peerOf(request),
      sessions: () => [],
      async allowed(now) {
        const good = previews.redeem(token, label) !== null;
        if (!good || (await previewedSandbox(operations, now, grant)) === null)
          throw sandboxNotFound(sandboxId);
      },
      revoked: end,
      lost: end,
    });
    try {
      await run(AbortSignal.any([over.signal, closing]));
    } finally {
      unwatch();
      const left = (atOnce.get(label) ?? 1) - 1;
      if (left > 0) atOnce.set(label, left);
      else atOnce.delete(label);
    }
  };
}
