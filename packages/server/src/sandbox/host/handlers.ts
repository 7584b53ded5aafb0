import type { Call } from "../protocol/call.ts";
import type { HostCall, HostContext } from "./context.ts";

/** A call and who answers it with JSON. */
export interface Handler {
  readonly call: Call<unknown, unknown>;
  readonly handle: (context: HostContext, call: HostCall<unknown>) => Promise<unknown>;
}

export function handler<A, R>(
  call: Call<A, R>,
  handle: (context: HostContext, call: HostCall<A>) => Promise<R>,
): Handler {
  // The arguments were read with the call's own schema.
  return { call, handle } as Handler;
}
