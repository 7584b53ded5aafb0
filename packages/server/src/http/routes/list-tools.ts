import { pageOf, tool } from "@berth/contract";
import { listTools } from "../../operations/list-capabilities.ts";
import { endpoint } from "../endpoint.ts";

export const listToolsRoute = endpoint({
  id: "listTools",
  method: "get",
  path: "/api/v1/tools",
  tag: "catalog",
  summary: "The server's own tools",
  replies: { 200: { description: "All of them, by name.", schema: pageOf(tool) } },
  handle: ({ operations, principal }) => ({
    status: 200,
    body: { items: listTools(operations, principal), next: null },
  }),
});
