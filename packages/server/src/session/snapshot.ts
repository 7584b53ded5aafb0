import { AppendList } from "../lib/append-list.ts";
import type { NamespaceState, SessionState } from "./state.ts";

/** The state as text. A snapshot names its state version beside the text and is ignored when the version has moved on. */
export function encodeState(state: SessionState): string {
  return JSON.stringify(state);
}

/** The state that encodeState wrote. */
export function decodeState(text: string): SessionState {
  const state = JSON.parse(text) as SessionState;
  const namespaces: Record<string, NamespaceState> = {};
  for (const [name, at] of Object.entries(state.namespaces)) {
    namespaces[name] = { ...at, items: AppendList.from(at.items) };
  }
  return { ...state, namespaces };
}
