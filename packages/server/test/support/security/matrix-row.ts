import type { SeatRole } from "./tenant.ts";
import type { Home, World } from "./world.ts";

/** What a request of one endpoint names: ids in the path, a query, a body. */
export interface Given {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends what has to succeed, as somebody of the organization, and gives what came of it. */
export type Make = (
  role: SeatRole,
  method: string,
  path: string,
  body?: unknown,
) => Promise<Readonly<Record<string, string>>>;

/** Whose things a request names. */
export interface Target {
  readonly home: Home;
  readonly make: Make;
  readonly world: World;
}

/** What the matrix (API-01) knows of an endpoint. */
export interface Row {
  /**
   * The lowest role that may: `open` needs no credential, `anyone` has one, `operator` is the admin key in its own organization.
   * Roles above it may too.
   */
  readonly may: "open" | "anyone" | SeatRole | "operator";
  /** Who may not is told that there is no such thing, not that it may not. */
  readonly hidden?: true;
  /** How those who may are answered. */
  readonly ok: readonly number[];
  /** The operator may do it in organizations that are not its own too. */
  readonly abroad?: true;
  /** Who holds a share link of the session may too. */
  readonly link?: true;
  /** A request that is right in every other way. Asked for each time that one is sent. */
  given?(target: Target): Given | Promise<Given>;
}

export type Rows = Readonly<Record<string, Row>>;
