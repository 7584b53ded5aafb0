import { z } from "zod";
import { cleanUpRuntime } from "../../operations/manage-runtime.ts";
import { endpoint } from "../endpoint.ts";
import { emptyBody } from "../path-params.ts";

export const cleanUpRuntimeRoute = endpoint({
  id: "cleanUpRuntime",
  method: "post",
  path: "/api/v1/runtime/cleanup",
  tag: "runtime",
  summary: "Takes idle sessions out of memory; nothing of them is lost",
  body: emptyBody,
  bodyOptional: true,
  replies: {
    200: { description: "How many.", schema: z.strictObject({ evicted: z.int().nonnegative() }) },
  },
  async handle({ operations, principal, origin }) {
    return { status: 200, body: await cleanUpRuntime(operations, principal, { origin }) };
  },
});
