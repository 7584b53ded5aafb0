import { type Context, Hono } from "hono";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import type { HttpContext } from "./context.ts";
import type { Answer, Endpoint } from "./endpoint.ts";
import { errorResponse } from "./error-response.ts";
import { noteRefusal } from "./note-refusal.ts";
import { peerOf } from "./peer.ts";
import { presentedOf } from "./presented.ts";
import { readCall } from "./read-call.ts";
import { requestIdOf } from "./request-headers.ts";
import { endpoints } from "./routes.ts";
import { securityHeaders } from "./security-headers.ts";

interface Seen {
  requestId: string;
  /** Template of the endpoint that answers. */
  route: string | null;
  principal: Principal | null;
}

type Env = { Variables: Seen };

/**
 * The API as a plain `fetch` handler. Every response has an X-Request-Id and every refusal is a problem document. The order of
 * a request: id and log line, route, credential, rate limit (when there is one), query, body, operation.
 */
export function createApp(context: HttpContext): { readonly fetch: (request: Request) => Promise<Response> } {
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    const started = context.operations.clock.monotonic();
    const requestId = requestIdOf(c.req.raw.headers);
    c.set("requestId", requestId);
    c.set("route", null);
    c.set("principal", null);
    await next();
    c.res.headers.set("x-request-id", requestId);
    for (const [name, value] of securityHeaders) {
      if (!c.res.headers.has(name)) c.res.headers.set(name, value);
    }
    context.telemetry.httpRequest({
      method: c.req.method,
      route: c.get("route"),
      status: c.res.status,
      durationMs: context.operations.clock.monotonic() - started,
      principal: c.get("principal")?.id,
      requestId,
    });
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
      return errorResponse(thrown, { requestId: c.get("requestId"), telemetry: context.telemetry });
    }
  });
  app.onError((thrown, c) => {
    return errorResponse(thrown, { requestId: c.get("requestId"), telemetry: context.telemetry });
  });
  return { fetch: async (request) => app.fetch(request) };
}

async function answer(context: HttpContext, endpoint: Endpoint, c: Context<Env>): Promise<Response> {
  c.set("route", endpoint.path);
  const open = endpoint.access === "open" || (endpoint.access === "metrics" && context.settings.openMetrics);
  const principal = open ? null : await authenticate(context, c);
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

function onlyToRead(): BerthError {
  return new BerthError(
    "forbidden",
    "a share link opens one session, its events, todos and files, to read: use a key for anything else",
  );
}

async function authenticate(context: HttpContext, c: Context<Env>): Promise<Principal> {
  const principal = await context.authenticator.authenticate(presentedOf(c.req.raw));
  c.set("principal", principal);
  return principal;
}

/** Under /api nobody without a credential learns which routes there are not. */
async function authenticateApi(context: HttpContext, c: Context<Env>): Promise<void> {
  if (c.req.path.startsWith("/api/")) await authenticate(context, c);
}

function responseOf(answered: Answer): Response {
  if ("raw" in answered) return answered.raw;
  const { status, body, headers = {} } = answered;
  if (body === null || body === undefined) return new Response(null, { status, headers: { ...headers } });
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
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
