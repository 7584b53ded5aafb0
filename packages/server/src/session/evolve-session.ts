import type { SessionEvent } from "@berth/contract";
import { bytesOf } from "./size.ts";
import { newNamespace, root, type SessionState } from "./state.ts";

type SessionLevel =
  | "session.created"
  | "session.updated"
  | "session.forked"
  | "session.rewound"
  | "session.archived"
  | "todo.changed"
  | "file.changed";

/** Events about the session itself. */
export function evolveSession(state: SessionState, event: SessionEvent<SessionLevel>): SessionState {
  switch (event.type) {
    case "session.created": {
      const { agent, owner, key, title, metadata, model } = event.data;
      const own = newNamespace({ name: root, agent, model: model ?? "", parent: null, depth: 0 });
      const bytes = 1_000 + bytesOf(event.data);
      return {
        ...state,
        sessionId: event.sessionId,
        agent,
        owner,
        key,
        title,
        metadata,
        model,
        namespaces: { [root]: own },
        bytes,
      };
    }
    case "session.updated": {
      const { title, metadata, model, agent } = event.data;
      const bytes =
        metadata === undefined ? state.bytes : state.bytes + bytesOf(metadata) - bytesOf(state.metadata);
      return {
        ...state,
        bytes,
        ...(title !== undefined && { title }),
        ...(metadata !== undefined && { metadata }),
        ...(model !== undefined && { model }),
        ...(agent !== undefined && { agent }),
      };
    }
    case "session.forked": {
      const { owner, title, manifest } = event.data;
      const restored = manifest === null ? state.manifest : { hash: manifest, seq: event.seq };
      return {
        ...state,
        sessionId: event.sessionId,
        owner,
        title,
        key: null,
        archived: false,
        manifest: restored,
        workspaceDirty: false,
      };
    }
    case "session.rewound": {
      const { usage, manifest } = event.data;
      const restored = manifest === null ? state.manifest : { hash: manifest, seq: event.seq };
      return {
        ...quiet(state),
        usage,
        manifest: restored,
        workspaceDirty: state.workspaceDirty && manifest === null,
      };
    }
    case "session.archived":
      return { ...state, archived: event.data.archived };
    case "todo.changed": {
      const bytes = state.bytes + bytesOf(event.data.todos) - bytesOf(state.todos);
      return { ...state, todos: event.data.todos, bytes };
    }
    case "file.changed":
      return { ...state, workspaceDirty: true };
  }
}

/** The same conversation with nothing going on: the rewind ended its run in the raw log. */
function quiet(state: SessionState): SessionState {
  const own = state.namespaces[root];
  if (own === undefined) return state;
  return {
    ...state,
    run: null,
    approvals: {},
    namespaces: { [root]: { ...own, node: "END", step: null, calls: [] } },
  };
}
