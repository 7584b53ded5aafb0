import { system } from "@berth/contract";
import { describeSystem } from "../../operations/describe-system.ts";
import { endpoint } from "../endpoint.ts";

export const getSystem = endpoint({
  id: "getSystem",
  method: "get",
  path: "/api/v1/system",
  tag: "server",
  summary: "What this server is and how it was started",
  replies: { 200: { description: "The server.", schema: system } },
  async handle({ operations, principal }) {
    return { status: 200, body: await describeSystem(operations, principal) };
  },
});
