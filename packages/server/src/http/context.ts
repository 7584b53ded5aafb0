import type { Authenticator } from "../auth/authenticator.ts";
import type { LoginDoors } from "../auth/login-doors.ts";
import type { Tickets } from "../auth/tickets.ts";
import type { OperationsContext } from "../operations/context.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Edge } from "./edge.ts";
import type { EventStreams } from "./sse.ts";

/** Everything that the HTTP edge needs from outside. */
export interface HttpContext {
  readonly operations: OperationsContext;
  readonly authenticator: Authenticator;
  readonly tickets: Pick<Tickets, "issue">;
  /** Null: nobody logs in in a browser here. */
  readonly login: LoginDoors | null;
  readonly streams: Pick<EventStreams, "answer" | "output">;
  readonly telemetry: Telemetry;
  readonly edge: Edge;
  readonly settings: HttpSettings;
  /** Whether this server can take work now. Never rejects. */
  readiness(): Promise<Readiness>;
}

export interface Readiness {
  readonly ready: boolean;
  /** Each part that was looked at, as `store: ok`. Shown to everybody: no secrets. */
  readonly checks: Readonly<Record<string, string>>;
}

/** Sizes are bytes. */
export interface HttpSettings {
  readonly bodyBytes: number;
  readonly uploadBytes: number;
  /** Nested arrays and objects of a JSON body. */
  readonly jsonDepth: number;
  /** `/metrics` answers without a key: for a server that only listens on loopback or behind a scraper's network. */
  readonly openMetrics: boolean;
}
