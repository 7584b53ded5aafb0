import type { SessionEvent } from "@berth/contract";
import { bytesOfChange, changeFiles, type FileChanges, type FileStep } from "./file-changes.ts";
import { bytesOf } from "./size.ts";
import { type NamespaceState, newNamespace, noApprovals, root, type SessionState } from "./state.ts";

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
      const { owner, title, manifest, files } = event.data;
      return {
        ...withFiles(withoutEffects(state), {
          manifest: manifest === null ? state.manifest : { hash: manifest, seq: event.seq },
          // Versions that did not say what the files are gave forks those of the manifest alone.
          fileChanges: files === undefined ? [] : state.fileChanges,
        }),
        sessionId: event.sessionId,
        owner,
        title,
        key: null,
        archived: false,
      };
    }
    case "session.rewound": {
      const { usage, manifest, files } = event.data;
      const back = { ...quiet(state), usage };
      const areLeft = files === "left" || (files === undefined && manifest === null && state.workspaceDirty);
      if (areLeft) return { ...back, workspaceDirty: true, toolsTouched: true };
      return withFiles(back, {
        manifest: manifest === null ? state.manifest : { hash: manifest, seq: event.seq },
        fileChanges: files === undefined ? [] : state.fileChanges,
      });
    }
    case "session.archived":
      return { ...state, archived: event.data.archived };
    case "todo.changed": {
      const bytes = state.bytes + bytesOf(event.data.todos) - bytesOf(state.todos);
      return { ...state, todos: event.data.todos, bytes };
    }
    case "file.changed":
      return changeFile(state, event);
  }
}

/** The files are what a manifest and changes after it say. */
export function withFiles(
  state: SessionState,
  { manifest, fileChanges }: Pick<SessionState, "manifest" | "fileChanges">,
): SessionState {
  const known = { ...withChanges(state, fileChanges), manifest };
  return { ...known, toolsTouched: false, workspaceDirty: false };
}

function withChanges(state: SessionState, fileChanges: FileChanges): SessionState {
  const bytes = state.bytes + (fileChanges.length - state.fileChanges.length) * bytesOfChange;
  return { ...state, fileChanges, bytes };
}

/** What an input did to files is known; what a tool did is not, nor what is too much to know, until a manifest is kept. */
function changeFile(state: SessionState, event: SessionEvent<"file.changed">): SessionState {
  const touched = { ...state, workspaceDirty: true };
  const step = event.inputId === undefined ? null : stepOf(event.data);
  const changes = step === null ? null : changeFiles(state.fileChanges, step);
  if (changes === null) return { ...touched, toolsTouched: true };
  return withChanges(touched, changes);
}

function stepOf({ path, change, to, blob }: SessionEvent<"file.changed">["data"]): FileStep | null {
  if (change === "deleted") return { type: "remove", path };
  if (change === "moved") return to === undefined ? null : { type: "move", path, to };
  return blob === undefined ? null : { type: "write", path, hash: blob.hash, size: blob.size };
}

/** Calls that are open where a fork begins go on in its parent: what they do to files does not reach the fork. */
function withoutEffects(state: SessionState): SessionState {
  const namespaces: Record<string, NamespaceState> = {};
  for (const [name, at] of Object.entries(state.namespaces))
    namespaces[name] = { ...at, calls: at.calls.map((call) => ({ ...call, effect: "pure" })) };
  return { ...state, namespaces };
}

/** The same conversation with nothing going on: the rewind ended its run in the raw log. */
function quiet(state: SessionState): SessionState {
  const own = state.namespaces[root];
  if (own === undefined) return state;
  return {
    ...state,
    run: null,
    approvals: noApprovals,
    namespaces: { [root]: { ...own, node: "END", step: null, calls: [] } },
  };
}
