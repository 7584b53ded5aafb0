import { Agent, type Dispatcher } from "undici";

/**
 * Connections to model providers, kept open between calls. HTTP/1.1 only: a stream has its own connection and none waits
 * behind another. Idle connections do not keep the process alive; who makes it closes it.
 */
export function createModelDispatcher(connectMs = 10_000): Dispatcher {
  return new Agent({
    allowH2: false,
    pipelining: 1,
    connect: { timeout: connectMs },
    keepAliveTimeout: 30_000,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}
