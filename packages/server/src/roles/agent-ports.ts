import type { RuntimeContext } from "../runtime/context.ts";

type OpenPort = RuntimeContext["openPort"];

/** Ports that agents open are the API's to show; the worker starts before it. */
export interface AgentPorts {
  /** Waits until the API is there. */
  readonly open: OpenPort;
  serve(open: OpenPort): void;
}

export function createAgentPorts(): AgentPorts {
  const { promise, resolve } = Promise.withResolvers<OpenPort>();
  return {
    open: async (request) => await (await promise)(request),
    serve: resolve,
  };
}
