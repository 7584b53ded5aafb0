import { idSchema, sandboxList, sandboxState } from "@berth/contract";
import { z } from "zod";
import { listSandboxes } from "../../operations/sandboxes.ts";
import { endpoint } from "../endpoint.ts";
import { pageQueryOf } from "../page-query.ts";
import { defined } from "../query.ts";

const query = z.strictObject({
  ...pageQueryOf("sandbox"),
  state: sandboxState.optional(),
  userId: z.union([idSchema("user"), idSchema("serviceAccount")]).optional(),
  sessionId: idSchema("session").optional(),
});

export const listSandboxesRoute = endpoint({
  id: "listSandboxes",
  method: "get",
  path: "/api/v1/sandboxes",
  tag: "sandboxes",
  summary: "Sandboxes that there are now, newest first",
  description:
    "One's own; with session:manage all of the organization. One that is gone is in the allocations. `quota` says how many of how many are in use.",
  query,
  replies: { 200: { description: "A page of them.", schema: sandboxList } },
  async handle({ operations, principal, query: filter }) {
    return { status: 200, body: await listSandboxes(operations, principal, defined(filter)) };
  },
});
