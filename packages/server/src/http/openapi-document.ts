import { problem } from "@berth/contract";
import { OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import type { Endpoint, ReplySpec, Tag } from "./endpoint.ts";
import { type ErrorCode, errorStatuses, statusTitles } from "./error-codes.ts";
import { shareSchemas } from "./openapi-components.ts";

const tags: Readonly<Record<Tag, string>> = {
  sessions: "Conversations with an agent, each an append-only log.",
  events: "What is said to a session, and what its log tells.",
  runs: "What a message starts: from the first thought to the last answer.",
  approvals: "Tool calls that wait for a person.",
  files: "The workspace of a session. Reading never makes one.",
  agents: "Definitions that sessions run with. A version never changes.",
  audit: "Who changed what, and who was refused.",
  data: "Backups of the server, exports and erasures of what an organization or a user has.",
  limits: "What an organization may have and spend, and what it has spent.",
  catalog: "Tools and models that agents can be given.",
  "user-config": "What the caller has set for itself.",
  runtime: "Sessions that workers hold in memory.",
  sandboxes: "Where commands of sessions run, what runs in them, and what of them is shown outside.",
  login: "How people log in in browsers.",
  users: "One's own account.",
  orgs: "Organizations: each keeps its people, sessions and everything else to itself.",
  members: "Who belongs to an organization and what they may do: people, programs, roles, invitations.",
  "api-keys": "What programs prove themselves with.",
  server: "The server itself.",
};

const description = `Sessions run agents; each is an append-only log that survives crashes.

Every POST, PUT and PATCH that lists the header \`Idempotency-Key\` takes one: sent twice with the same body it is done once, and the second reply is the
first one again. Unknown fields are refused. Errors are problem documents (RFC 9457) with a stable \`code\`. \`RateLimit\` tells what is left of the limit
that a request came closest to, and \`Retry-After\` when to come again.`;

let cached: { readonly endpoints: readonly Endpoint[]; readonly text: string } | null = null;

/** The OpenAPI 3.1 document of the endpoints as JSON, made from the same schemas that validate requests. */
export function apiDocument(endpoints: readonly Endpoint[]): string {
  if (cached?.endpoints !== endpoints) cached = { endpoints, text: generate(endpoints) };
  return cached.text;
}

function generate(endpoints: readonly Endpoint[]): string {
  const app = new OpenAPIHono();
  const registry = app.openAPIRegistry;
  registry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer" });
  registry.registerComponent("securitySchemes", "apiKey", {
    type: "apiKey",
    in: "header",
    name: "X-API-Key",
  });
  registry.registerComponent("securitySchemes", "cookie", {
    type: "apiKey",
    in: "cookie",
    name: "__Host-berth",
  });
  for (const endpoint of endpoints) registry.registerPath(routeOf(endpoint));
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Berth",
      version: "1",
      description,
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ url: "/", description: "The server that this document came from." }],
    tags: Object.entries(tags).map(([name, text]) => ({ name, description: text })),
  });
  const shared = shareSchemas(JSON.parse(JSON.stringify(document)));
  return `${JSON.stringify(shared, null, 2)}\n`;
}

function routeOf(endpoint: Endpoint): RouteConfig {
  const { id, method, path, tag, summary, access = "key" } = endpoint;
  const content = bodyOf(endpoint);
  return {
    operationId: id,
    method,
    path,
    tags: [tag],
    summary,
    ...(endpoint.description !== undefined && { description: endpoint.description }),
    security: access === "open" ? [] : [{ bearer: [] }, { apiKey: [] }, { cookie: [] }],
    request: {
      ...(endpoint.params && { params: endpoint.params as z.ZodObject }),
      ...(endpoint.query && { query: endpoint.query as z.ZodObject }),
      ...(takesKey(endpoint) && { headers: z.object({ "Idempotency-Key": idempotencyKey }) }),
      ...(content && { body: { content, required: endpoint.bodyOptional !== true } }),
    },
    responses: { ...repliesOf(endpoint), ...problemsOf(endpoint) },
  };
}

const idempotencyKey = z.string().min(1).max(255).optional().describe("raw or as a quoted string; kept 24 h");

function takesKey(endpoint: Endpoint): boolean {
  return changes(endpoint) && endpoint.repeats !== true;
}

function changes({ method, access = "key" }: Endpoint): boolean {
  return access === "key" && method !== "get" && method !== "delete";
}

function bodyOf({
  body,
  upload,
}: Endpoint): NonNullable<NonNullable<RouteConfig["request"]>["body"]>["content"] | null {
  if (upload) {
    return {
      "application/octet-stream": {
        schema: { type: "string", contentMediaType: "application/octet-stream" },
      },
    };
  }
  return body === undefined ? null : { "application/json": { schema: body } };
}

function repliesOf({ replies }: Endpoint): RouteConfig["responses"] {
  return Object.fromEntries(Object.entries(replies).map(([status, reply]) => [status, replyOf(reply)]));
}

function replyOf({ description: text, schema, mediaType }: ReplySpec): RouteConfig["responses"][string] {
  if (schema !== undefined) return { description: text, content: { "application/json": { schema } } };
  if (mediaType === undefined) return { description: text };
  return { description: text, content: { [mediaType]: { schema: {} } } };
}

/** The problems of an endpoint by status, each with its codes. */
function problemsOf(endpoint: Endpoint): RouteConfig["responses"] {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of [...commonProblems(endpoint), ...(endpoint.problems ?? [])]) {
    const status = errorStatuses[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => {
      const text = `${statusTitles[status] ?? "Error"}: ${[...new Set(codes)].map((code) => `\`${code}\``).join(", ")}.`;
      return [status, { description: text, content: { "application/problem+json": { schema: problem } } }];
    }),
  );
}

/** What every endpoint of its kind may answer. */
function commonProblems(endpoint: Endpoint): readonly ErrorCode[] {
  const { access = "key", method, upload } = endpoint;
  const codes: ErrorCode[] = ["validation_failed", "malformed_request", "internal"];
  if (access !== "open")
    codes.push("unauthenticated", "forbidden", "address_not_allowed", "store_unavailable");
  if (endpoint.rate !== "none") codes.push("rate_limited", "overloaded");
  if (changes(endpoint)) codes.push("malformed_header", "disk_full");
  if (takesKey(endpoint)) codes.push("idempotency_mismatch");
  if (upload) codes.push("body_too_large", "unsupported_media_type");
  else if (method !== "get" && method !== "delete") {
    codes.push("malformed_json", "body_too_large", "unsupported_media_type");
  }
  return codes;
}
