import { runtimeHealth } from "@berth/contract";
import { z } from "zod";
import { runtimeHealthOf } from "../../operations/inspect-runtime.ts";
import { endpoint } from "../endpoint.ts";

const health = z.strictObject({
  ok: z.boolean().describe("there is a worker, and all are well"),
  workers: z.array(runtimeHealth),
});

export const getRuntimeHealth = endpoint({
  id: "getRuntimeHealth",
  method: "get",
  path: "/api/v1/runtime/health",
  tag: "runtime",
  summary: "How the workers are",
  replies: { 200: { description: "Each worker that answers.", schema: health } },
  async handle({ operations, principal }) {
    return { status: 200, body: await runtimeHealthOf(operations, principal) };
  },
});
