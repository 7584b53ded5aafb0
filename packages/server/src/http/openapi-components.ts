import * as contract from "@berth/contract";
import { OpenAPIHono } from "@hono/zod-openapi";

/** Schemas that the document names once and refers to. */
const named = {
  AcceptedInput: contract.acceptedInput,
  Agent: contract.agent,
  AgentDefinition: contract.agentDefinition,
  AgentVersion: contract.agentVersion,
  Approval: contract.approval,
  BlobRef: contract.blobRef,
  ClientTool: contract.clientTool,
  ContentPart: contract.contentPart,
  FileEntry: contract.fileEntry,
  LiveSession: contract.liveSession,
  Me: contract.me,
  Model: contract.model,
  PendingInput: contract.pendingInput,
  Permissions: contract.permissions,
  Problem: contract.problem,
  Recovery: contract.recovery,
  Run: contract.run,
  RunLimits: contract.runLimits,
  RuntimeHealth: contract.runtimeHealth,
  RuntimeStats: contract.runtimeStats,
  SendableInput: contract.sendableInput,
  Session: contract.session,
  SessionEvent: contract.sessionEvent,
  System: contract.system,
  Todo: contract.todo,
  Tool: contract.tool,
  Usage: contract.usage,
} as const;

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * The document with the named schemas among its components and a reference wherever one of them stood. The generator takes
 * names only from schemas that were made after its own extension of zod was loaded, and the contract's are not.
 */
export function shareSchemas(document: Json): Json {
  const texts = new Map(Object.entries(generated()).map(([name, schema]) => [JSON.stringify(schema), name]));
  const share = (value: Json): Json => {
    if (value === null || typeof value !== "object") return value;
    if (isList(value)) return value.map(share);
    const name = texts.get(JSON.stringify(value));
    return name === undefined ? shareWithin(value) : { $ref: `#/components/schemas/${name}` };
  };
  const shareWithin = (value: { readonly [key: string]: Json }): Json =>
    Object.fromEntries(Object.entries(value).map(([key, member]) => [key, share(member)]));
  const shared = share(document) as { readonly [key: string]: { readonly [key: string]: Json } };
  const text = JSON.stringify(shared);
  const schemas: Record<string, Json> = {};
  const inner = Object.entries(generated()).map(([name, schema]) => [name, shareWithin(schema)] as const);
  for (const [name, schema] of inner) {
    const reference = `"#/components/schemas/${name}"`;
    const isUsed =
      text.includes(reference) || inner.some(([, other]) => JSON.stringify(other).includes(reference));
    if (isUsed) schemas[name] = schema;
  }
  return { ...shared, components: { ...shared["components"], schemas } };
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** What the generator makes of each named schema. */
function generated(): Readonly<Record<string, { readonly [key: string]: Json }>> {
  const app = new OpenAPIHono();
  for (const [name, schema] of Object.entries(named)) {
    const content = { "application/json": { schema } };
    app.openAPIRegistry.registerPath({
      method: "get",
      path: `/${name}`,
      responses: { 200: { description: "", content } },
    });
  }
  const document = app.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "", version: "" } });
  const paths = document.paths as unknown as Readonly<Record<string, Described>>;
  return Object.fromEntries(
    Object.entries(paths).map(([path, described]) => {
      return [path.slice(1), described.get.responses[200].content["application/json"].schema];
    }),
  );
}

interface Described {
  readonly get: {
    readonly responses: {
      readonly 200: {
        readonly content: {
          readonly "application/json": { readonly schema: { readonly [key: string]: Json } };
        };
      };
    };
  };
}
