import type { Todo } from "@berth/contract";
import { defineTool } from "./define-tool.ts";

export const todoRead = defineTool<object>({
  name: "todo_read",
  effect: "pure",
  touchesWorkspace: false,
  reachesOutside: false,
  timeoutMs: 10_000,
  properties: {},
  required: [],
  run: async (_, context) => ({ ok: true, content: showTodos(context.todos()) }),
});

const boxes: Readonly<Record<Todo["status"], string>> = {
  pending: "[ ]",
  in_progress: "[>]",
  completed: "[x]",
  cancelled: "[-]",
};

export function showTodos(todos: readonly Todo[]): string {
  if (todos.length === 0) return "The list is empty.";
  return todos.map(({ id, content, status }) => `${boxes[status]} ${id}: ${content}`).join("\n");
}
