import { runtimeStats } from "@berth/contract";
import { runtimeStatistics } from "../../operations/inspect-runtime.ts";
import { endpoint } from "../endpoint.ts";

export const getRuntimeStats = endpoint({
  id: "getRuntimeStats",
  method: "get",
  path: "/api/v1/runtime/stats",
  tag: "runtime",
  summary: "Live sessions and their memory, all workers together",
  description:
    "Of the whole server for who runs it, else of the caller's organization: evictions are not told then.",
  replies: { 200: { description: "The figures.", schema: runtimeStats } },
  problems: ["no_worker"],
  async handle({ operations, principal }) {
    return { status: 200, body: await runtimeStatistics(operations, principal) };
  },
});
