import { createRequire } from "node:module";
import type { Dispatcher } from "undici";

const require = createRequire(import.meta.url);

/**
 * Connections to model providers, kept open between calls. HTTP/1.1 only: a stream has its own connection and none waits
 * behind another. Idle connections do not keep the process alive; who makes it closes it.
 */
export function createModelDispatcher(connectMs = 10_000): Dispatcher {
  // Loaded by the first provider that is used: a server at rest has no use for its 109 modules.
  const { Agent } = require("undici") as typeof import("undici");
  return new Agent({
    allowH2: false,
    pipelining: 1,
    connect: { timeout: connectMs },
    keepAliveTimeout: 30_000,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}
