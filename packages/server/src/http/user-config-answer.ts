import type { UserConfig } from "@berth/contract";
import type { ChangedConfig } from "../operations/change-user-config.ts";
import { replayHeaders } from "./settled-answer.ts";

/** A config's ETag is its version. */
export function userConfigHeaders({ version }: UserConfig): { readonly etag: string } {
  return { etag: `"${version}"` };
}

/** The config as a change has left it. */
export function userConfigAnswer<S extends 200 | 201>(status: S, changed: ChangedConfig) {
  const headers = { ...userConfigHeaders(changed.config), ...replayHeaders(changed) };
  return { status, body: changed.config, headers };
}
