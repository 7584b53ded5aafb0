import type { Todo } from "@berth/contract";
import { defineTool, failed } from "./define-tool.ts";
import { showTodos } from "./todo-read.ts";

interface Input {
  todos: Todo[];
}

export const todoWrite = defineTool<Input>({
  name: "todo_write",
  effect: "idempotent",
  touchesWorkspace: false,
  reachesOutside: false,
  timeoutMs: 10_000,
  properties: {
    todos: {
      type: "array",
      maxItems: 200,
      description: "the whole list; it replaces the old one",
      items: {
        type: "object",
        properties: {
          id: { type: "string", minLength: 1, maxLength: 64 },
          content: { type: "string", minLength: 1, maxLength: 2_000 },
          status: { type: "string", enum: ["pending", "in_progress", "completed", "cancelled"] },
        },
        required: ["id", "content", "status"],
        additionalProperties: false,
      },
    },
  },
  required: ["todos"],
  async run({ todos }, context) {
    const twice = todos.find((todo, at) => todos.findIndex(({ id }) => id === todo.id) !== at);
    if (twice !== undefined)
      return failed("validation", `Two todos have the id ${twice.id}; give each its own.`);
    const begun = todos.filter(({ status }) => status === "in_progress");
    if (begun.length > 1) {
      const ids = begun.map(({ id }) => id).join(", ");
      return failed("validation", `Only one todo can be in_progress, and these are: ${ids}.`);
    }
    return {
      ok: true,
      content: showTodos(todos),
      events: [{ type: "todo.changed", data: { todos, toolUseId: context.toolUseId } }],
    };
  },
});
