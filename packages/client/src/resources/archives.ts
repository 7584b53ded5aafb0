import type { ExtractedArchive } from "@berth/contract";
import { bodyPieces } from "../body-pieces.ts";
import type { Http } from "../http.ts";
import { callOf, type CallOptions, type ChangeOptions } from "../pages.ts";
import { sessionPath } from "./sessions.ts";

/** Many files of a session's workspace at once. */
export function createArchives(http: Http, sessionId: string) {
  const archive = sessionPath(sessionId, "/workspace/archive");
  return {
    /** A folder (default: the workspace itself) as a tar archive packed by gzip, as it comes. Links are left out. */
    archive(options: CallOptions & { readonly path?: string } = {}): AsyncGenerator<Uint8Array> {
      const query = { path: options.path };
      const headers = { accept: "*/*" };
      return bodyPieces(http, { method: "GET", path: archive, query, headers, ...callOf(options) });
    },
    /** Writes the files of a tar or tar.gz archive into a folder. Null: it was accepted, and not all of it is written yet. */
    async extract(
      data: Uint8Array<ArrayBuffer> | Blob,
      options: ChangeOptions & { readonly path?: string } = {},
    ): Promise<ExtractedArchive | null> {
      const query = { path: options.path };
      const headers = { "content-type": "application/octet-stream" };
      const request = {
        method: "PUT",
        path: archive,
        query,
        bytes: data,
        headers,
        ...callOf(options),
      } as const;
      const made = await http.json<ExtractedArchive | { readonly input: unknown }>(request);
      return "input" in made ? null : made;
    },
  };
}
