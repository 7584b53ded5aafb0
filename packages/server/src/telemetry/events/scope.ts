import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics.ts";

/** Whose event it is. It goes to the log line, never to a label. */
export interface EventScope {
  readonly orgId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly runId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly namespace?: string | undefined;
}

/** Where events go. */
export interface Sinks {
  readonly logger: Logger;
  readonly metrics: Metrics;
}
