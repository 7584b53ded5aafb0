import { boundedLabel } from "../metrics/bounded-label.ts";
import type { EventScope, Sinks } from "./scope.ts";

export interface HttpRequest extends EventScope {
  readonly method: string;
  /** The route's template, as `/api/v1/sessions/{id}`; null when none matched. */
  readonly route: string | null;
  readonly status: number;
  readonly durationMs: number;
  /** Id of the principal. */
  readonly principal?: string | undefined;
}

export interface LoginRefused {
  /** Name of the identity provider. */
  readonly provider: string;
  readonly error: unknown;
}

export type Transport = "sse" | "websocket";

export interface StreamClosed extends EventScope {
  readonly transport: Transport;
  /** `slow`: the server ended it because the client did not read. */
  readonly by: "client" | "server" | "slow";
}

const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** What happens at the edge. */
export function connectionEvents({ logger, metrics }: Sinks) {
  const routeName = boundedLabel(300);

  return {
    httpRequest(event: HttpRequest): void {
      const route = event.route === null ? "unmatched" : routeName(event.route);
      const method = methods.has(event.method) ? event.method : "other";
      metrics.httpRequests.inc({ method, route, status: String(event.status) });
      metrics.httpSeconds.observe({ route }, event.durationMs / 1_000);
      logger[event.status >= 500 ? "warn" : "debug"]({ ...event }, "request answered");
    },

    /** Somebody came back from an identity provider and was not let in, or the provider does not answer. */
    loginRefused(event: LoginRefused): void {
      logger.warn({ ...event }, "login at an identity provider refused");
    },

    streamOpened(event: EventScope & { readonly transport: Transport }): void {
      metrics.streamClients.inc({ transport: event.transport });
      logger.debug({ ...event }, "stream opened");
    },

    streamClosed(event: StreamClosed): void {
      metrics.streamClients.dec({ transport: event.transport });
      metrics.streamsClosed.inc({ transport: event.transport, by: event.by });
      logger[event.by === "slow" ? "info" : "debug"]({ ...event }, "stream closed");
    },
  };
}
