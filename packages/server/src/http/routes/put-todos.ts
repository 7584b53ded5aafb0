import { todosBody, todosReply } from "@berth/contract";
import { putTodos } from "../../operations/session-todos.ts";
import { endpoint } from "../endpoint.ts";
import { sessionPath } from "../path-params.ts";
import { pendingReply, settledAnswer } from "../settled-answer.ts";

export const putTodosRoute = endpoint({
  id: "putTodos",
  method: "put",
  path: "/api/v1/sessions/{sessionId}/todos",
  tag: "sessions",
  summary: "Replaces the session's list of todos",
  description: "Ids are unique, and at most one todo is in progress.",
  params: sessionPath,
  body: todosBody,
  replies: { 200: { description: "The list.", schema: todosReply }, 202: pendingReply },
  problems: ["session_not_found", "session_quarantined"],
  async handle({ operations, principal, params, body, origin }) {
    return settledAnswer(await putTodos(operations, principal, { ...params, ...body, origin }));
  },
});
