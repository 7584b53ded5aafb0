import { idSchema, pageOf, sandboxAllocation } from "@berth/contract";
import { z } from "zod";
import { listAllocations } from "../../operations/sandboxes.ts";
import { endpoint } from "../endpoint.ts";
import { pageQueryOf } from "../page-query.ts";
import { defined, flag } from "../query.ts";

const query = z.strictObject({
  ...pageQueryOf("allocation"),
  sandboxId: idSchema("sandbox").optional(),
  userId: z.union([idSchema("user"), idSchema("serviceAccount")]).optional(),
  sessionId: idSchema("session").optional(),
  isActive: flag.optional(),
});

export const listSandboxAllocationsRoute = endpoint({
  id: "listSandboxAllocations",
  method: "get",
  path: "/api/v1/sandbox-allocations",
  tag: "sandboxes",
  summary: "Which session had which sandbox, newest first",
  description: "One's own; with session:manage all of the organization.",
  query,
  replies: { 200: { description: "A page of them.", schema: pageOf(sandboxAllocation) } },
  async handle({ operations, principal, query: filter }) {
    return { status: 200, body: await listAllocations(operations, principal, defined(filter)) };
  },
});
