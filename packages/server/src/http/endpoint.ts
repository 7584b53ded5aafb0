import type { z } from "zod";
import type { Principal } from "../auth/principal.ts";
import type { OperationsContext, Origin } from "../operations/context.ts";
import type { RateClass } from "../limits/rate-limits.ts";
import type { HttpContext } from "./context.ts";
import type { ErrorCode } from "./error-codes.ts";

export type Tag =
  | "agents"
  | "api-keys"
  | "approvals"
  | "audit"
  | "catalog"
  | "data"
  | "events"
  | "files"
  | "limits"
  | "login"
  | "members"
  | "orgs"
  | "runs"
  | "runtime"
  | "sandboxes"
  | "server"
  | "sessions"
  | "user-config"
  | "users";

/** One reply that an endpoint gives. Without a schema it has no JSON body. */
export interface ReplySpec {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Of a body that is not JSON. */
  readonly mediaType?: string;
}

type Replies = Readonly<Record<number, ReplySpec>>;

/** What a reply's schema describes, as code may hold it. */
type Shown<T> = T extends readonly (infer U)[]
  ? readonly Shown<U>[]
  : T extends object
    ? { readonly [K in keyof T]: Shown<T[K]> }
    : T;

/** A status that the endpoint declares, with the body that belongs to it; or a whole response, for what is no JSON. */
export type Answer<R extends Replies = Replies> =
  | {
      readonly [S in keyof R & number]: {
        readonly status: S;
        readonly body: R[S] extends { readonly schema: infer T extends z.ZodType }
          ? Shown<z.output<T>>
          : null;
        readonly headers?: Readonly<Record<string, string>>;
        /** Values of `Set-Cookie`. */
        readonly cookies?: readonly string[];
      };
    }[keyof R & number]
  | { readonly raw: Response };

/** One request, authenticated and valid. */
export interface Call<P = unknown, Q = unknown, B = unknown> {
  readonly context: HttpContext;
  readonly operations: OperationsContext;
  /** Who calls. An open endpoint has none and must not ask. */
  readonly principal: Principal;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly origin: Origin & { readonly signal: AbortSignal };
  readonly request: Request;
  readonly requestId: string;
}

interface Described {
  /** Name of the operation in the API's description. */
  readonly id: string;
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** With `{name}` for parameters. */
  readonly path: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  /** `key` (the default) needs a credential, `open` none, `metrics` unless the settings open it. */
  readonly access?: "key" | "open" | "metrics";
  /** Who holds a share link may ask too; of anything else it learns nothing. */
  readonly shareable?: true;
  /** Done again when it is sent again: it knows no Idempotency-Key. */
  readonly repeats?: true;
  /** How its requests are counted: `read` for GET and `write` for others unless it says so; `none`: not at all. */
  readonly rate?: RateClass | "none";
  /** Codes of the problems that are its own, beside those that every endpoint of its kind has. */
  readonly problems?: readonly ErrorCode[];
}

export interface EndpointSpec<
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  R extends Replies,
> extends Described {
  readonly params?: P;
  readonly query?: Q;
  /** JSON unless `upload` says that the bytes are taken as they are. */
  readonly body?: B;
  /** A request without a body counts as `{}`. */
  readonly bodyOptional?: true;
  readonly upload?: true;
  readonly replies: R;
  handle(call: Call<z.output<P>, z.output<Q>, z.output<B>>): Promise<Answer<NoInfer<R>>> | Answer<NoInfer<R>>;
}

/** An endpoint among others. */
export interface Endpoint extends Described {
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly bodyOptional?: true;
  readonly upload?: true;
  readonly replies: Replies;
  handle(call: Call): Promise<Answer> | Answer;
}

/** One endpoint of the API: how it is asked, what it answers, and the translation to an operation in between. */
export function endpoint<
  const R extends Replies,
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
>(spec: EndpointSpec<P, Q, B, R>): Endpoint {
  return spec as unknown as Endpoint;
}
