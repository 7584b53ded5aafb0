import { todosReply } from "@berth/contract";
import { getTodos } from "../../operations/session-todos.ts";
import { endpoint } from "../endpoint.ts";
import { sessionPath } from "../path-params.ts";

export const getTodosRoute = endpoint({
  id: "getTodos",
  method: "get",
  path: "/api/v1/sessions/{sessionId}/todos",
  tag: "sessions",
  shareable: true,
  summary: "The session's list of todos",
  params: sessionPath,
  replies: { 200: { description: "The list.", schema: todosReply } },
  problems: ["session_not_found"],
  async handle({ operations, principal, params }) {
    return { status: 200, body: await getTodos(operations, principal, params) };
  },
});
