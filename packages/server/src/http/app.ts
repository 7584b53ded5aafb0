import { type Context, Hono } from "hono";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { type Allowance, allowanceOf, type RateClass } from "../limits/rate-limits.ts";
import type { HttpContext } from "./context.ts";
import { preflight } from "./cors.ts";
import type { Answer, Endpoint } from "./endpoint.ts";
import { errorResponse } from "./error-response.ts";
import { noteRefusal } from "./note-refusal.ts";
import { letIn } from "./let-in.ts";
import { outgoingOf } from "./node-requests.ts";
import { requireOrderly } from "./orderly-request.ts";
import { peerOf } from "./peer.ts";
import { presentedOf } from "./presented.ts";
import { readCall } from "./read-call.ts";
import { requestIdOf } from "./request-headers.ts";
import { endpoints } from "./routes.ts";
import { addHeaders } from "./response-headers.ts";

interface Seen {
  requestId: string;
  /** Template of the endpoint that answers. */
  route: string | null;
  principal: Principal | null;
  allowance: Allowance | null;
}

type Env = { Variables: Seen };

/**
 * The API as a plain `fetch` handler. Every response has an X-Request-Id and every refusal is a problem document. The order of
 * a request: id and log line, its form, load, route, address, credential, rate limits, query, body, operation.
 */
export function createApp(context: HttpContext): { readonly fetch: (request: Request) => Promise<Response> } {
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    const started = context.operations.clock.monotonic();
    const requestId = requestIdOf(c.req.raw.headers);
    c.set("requestId", requestId);
    c.set("route", null);
    c.set("principal", null);
    c.set("allowance", null);
    await next();
    const { edge } = context;
    addHeaders(c.res.headers, { request: c.req.raw, requestId, allowance: c.get("allowance"), edge });
    context.telemetry.httpRequest({
      method: c.req.method,
      route: c.get("route"),
      status: c.res.status,
      durationMs: context.operations.clock.monotonic() - started,
      principal: c.get("principal")?.id,
      requestId,
    });
  });
  app.use(async (c, next) => {
    const { overload, cors, urlBytes } = context.edge;
    const incoming = outgoingOf(c.req.raw)?.req;
    if (incoming !== undefined) requireOrderly(incoming, urlBytes);
    if (alwaysAnswered.has(c.req.path)) return next();
    overload.begin();
    try {
      const answered = preflight(cors, c.req.raw);
      if (answered === null) await next();
      else c.res = answered;
    } finally {
      overload.end();
    }
  });
  for (const endpoint of endpoints) {
    app.on(endpoint.method.toUpperCase(), routingPath(endpoint.path), (c) => answer(context, endpoint, c));
  }
  for (const [path, methods] of methodsByPath()) {
    app.all(routingPath(path), async (c) => {
      await authenticateApi(context, c);
      throw methodNotAllowed(c.req.method, methods);
    });
  }
  app.notFound(async (c) => {
    try {
      await authenticateApi(context, c);
      throw new BerthError(
        "route_not_found",
        "There is nothing here: GET /api/v1/openapi.json lists every route.",
      );
    } catch (thrown) {
      return refuse(context, c, thrown);
    }
  });
  app.onError((thrown, c) => refuse(context, c, thrown));
  return { fetch: async (request) => app.fetch(request) };
}

async function answer(context: HttpContext, endpoint: Endpoint, c: Context<Env>): Promise<Response> {
  c.set("route", endpoint.path);
  const open = endpoint.access === "open" || (endpoint.access === "metrics" && context.settings.openMetrics);
  const principal = await enter(context, c, { kind: rateClassOf(endpoint), open });
  if (principal?.onlySession !== undefined && endpoint.shareable !== true) throw onlyToRead();
  const call = await readCall({
    context,
    endpoint,
    principal,
    request: c.req.raw,
    params: c.req.param(),
    requestId: c.get("requestId"),
  });
  return responseOf(await endpoint.handle(call));
}

/** The answer to what was thrown; a refused access is in the audit log before it is answered. */
async function refuse(context: HttpContext, c: Context<Env>, thrown: unknown): Promise<Response> {
  const requestId = c.get("requestId");
  c.set("allowance", allowanceOf(thrown) ?? c.get("allowance"));
  const told = await noteRefusal(context.operations, {
    thrown,
    principal: c.get("principal"),
    route: `${c.req.method} ${c.get("route") ?? "unmatched"}`,
    params: c.req.param(),
    requestId,
    address: peerOf(c.req.raw).address,
  });
  return errorResponse(told, { requestId, telemetry: context.telemetry });
}

function onlyToRead(): BerthError {
  return new BerthError(
    "forbidden",
    "a share link opens one session, its events, todos and files, to read: use a key for anything else",
  );
}

/** They tell whether the process lives, above all when it has too much to do. */
const alwaysAnswered: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

function enter(
  context: HttpContext,
  c: Context<Env>,
  how: { readonly kind: RateClass | null; readonly open: boolean },
): Promise<Principal | null> {
  return letIn(context.edge, {
    kind: how.kind,
    peer: peerOf(c.req.raw),
    identify: how.open ? null : () => context.authenticator.authenticate(presentedOf(c.req.raw)),
    onAllowance: (allowance) => c.set("allowance", allowance),
    onPrincipal: (principal) => c.set("principal", principal),
  });
}

/** Under /api nobody without a credential learns which routes there are not. */
async function authenticateApi(context: HttpContext, c: Context<Env>): Promise<void> {
  await enter(context, c, { kind: "read", open: !c.req.path.startsWith("/api/") });
}

/** By the endpoint and never by the path as it was written, so that no spelling of it is counted apart. */
function rateClassOf({ rate, method }: Endpoint): RateClass | null {
  if (rate !== undefined) return rate === "none" ? null : rate;
  return method === "get" ? "read" : "write";
}

function responseOf(answered: Answer): Response {
  if ("raw" in answered) return answered.raw;
  const { status, body, cookies = [] } = answered;
  const headers = new Headers({ ...answered.headers });
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  if (body === null || body === undefined) return new Response(null, { status, headers });
  if (!headers.has("content-type")) headers.set("content-type", "application/json");
  return new Response(JSON.stringify(body), { status, headers });
}

function routingPath(path: string): string {
  return path.replace("{path}", ":path{[\\s\\S]+}").replaceAll(/\{(\w+)\}/g, ":$1");
}

function methodsByPath(): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, string[]>();
  for (const { path, method } of endpoints) {
    const own = methods.get(path) ?? [];
    own.push(...(method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()]));
    methods.set(path, own);
  }
  return methods;
}

function methodNotAllowed(method: string, allowed: readonly string[]): BerthError {
  const allow = allowed.toSorted().join(", ");
  return new BerthError("method_not_allowed", `${method} is not possible here: use ${allow}.`, {
    details: { allow },
  });
}
