import type { Todo } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { newInput } from "./accept-inputs.ts";
import { readableSession, sessionFor } from "./access.ts";
import { settle, type Settled } from "./apply-inputs.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { foldSession } from "./fold-session.ts";
import { invalidBody } from "./invalid-body.ts";

interface Todos {
  readonly todos: Todo[];
}

/** Rejects with `session_not_found`. */
export async function getTodos(
  context: OperationsContext,
  principal: Principal,
  { sessionId }: { readonly sessionId: string },
): Promise<Todos> {
  const session = await readableSession({ context, principal, id: sessionId });
  const { state } = await foldSession(context, session);
  return { todos: [...state.todos] };
}

/** Replaces the list. Rejects with `session_not_found`, or `validation_failed` for two of one id or two in progress. */
export async function putTodos(
  context: OperationsContext,
  principal: Principal,
  request: { readonly sessionId: string; readonly todos: readonly Todo[]; readonly origin: Origin },
): Promise<Settled<Todos>> {
  const { sessionId, origin } = request;
  const todos = [...request.todos];
  const session = await sessionFor({ context, principal, id: sessionId, permission: "session:write" });
  checkTodos(todos);
  const input = newInput({ lane: "control", body: { type: "todo.write", todos } }, principal, origin);
  return settle(context, { session, inputs: [input], origin }, () => ({ todos }));
}

function checkTodos(todos: readonly Todo[]): void {
  const ids = new Set<string>();
  let inProgress = 0;
  for (const [index, { id, status }] of todos.entries()) {
    if (ids.has(id)) throw invalidBody(`/todos/${index}/id`, "is the id of another todo.");
    ids.add(id);
    if (status === "in_progress" && (inProgress += 1) > 1) {
      throw invalidBody(`/todos/${index}/status`, "makes two todos that are in progress.");
    }
  }
}
