import { runtimeHealth } from "@berth/contract";
import { z } from "zod";
import { runtimeHealthOf } from "../../operations/inspect-runtime.ts";
import { endpoint } from "../endpoint.ts";

const health = runtimeHealth.extend({ workers: z.array(runtimeHealth) });

export const getRuntimeHealth = endpoint({
  id: "getRuntimeHealth",
  method: "get",
  path: "/api/v1/runtime/health",
  tag: "runtime",
  summary: "How the workers are: the one that is worst off, and each of them",
  replies: { 200: { description: "The workers that answer.", schema: health } },
  problems: ["no_worker"],
  async handle({ operations, principal }) {
    return { status: 200, body: await runtimeHealthOf(operations, principal) };
  },
});
