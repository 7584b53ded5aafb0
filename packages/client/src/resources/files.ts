import type { FileList } from "@berth/contract";
import { bodyPieces } from "../body-pieces.ts";
import type { Http } from "../http.ts";
import { callOf, type CallOptions, type ChangeOptions } from "../pages.ts";
import { createArchives } from "./archives.ts";
import { sessionPath } from "./sessions.ts";

export type Files = ReturnType<typeof createFiles>;

/** The files of a session's workspace. Paths are relative to it, with `/` between folders. */
export function createFiles(http: Http, sessionId: string) {
  const folder = sessionPath(sessionId, "/files");
  const search = sessionPath(sessionId, "/search");
  const at = (path: string) => `${folder}/${path.split("/").map(encodeURIComponent).join("/")}`;
  return {
    ...createArchives(http, sessionId),
    /** What is in a folder (default: the workspace itself), `depth` levels down. */
    list(
      options: CallOptions & {
        readonly path?: string;
        readonly depth?: number;
        readonly limit?: number;
      } = {},
    ): Promise<FileList> {
      const { path, depth, limit } = options;
      return http.json({ method: "GET", path: folder, query: { path, depth, limit }, ...callOf(options) });
    },
    /** Paths that match a pattern, for example `src/*.ts`. */
    glob(
      pattern: string,
      options: CallOptions & { readonly path?: string } = {},
    ): Promise<{ items: string[]; truncated: boolean }> {
      const query = { pattern, path: options.path };
      return http.json({ method: "GET", path: `${search}/files`, query, ...callOf(options) });
    },
    /** Lines that match a regular expression; `glob`: only of files whose path matches it. */
    grep(
      pattern: string,
      options: CallOptions & { readonly path?: string; readonly glob?: string } = {},
    ): Promise<{ items: { path: string; line: number; text: string }[]; truncated: boolean }> {
      const query = { pattern, path: options.path, glob: options.glob };
      return http.json({ method: "GET", path: `${search}/text`, query, ...callOf(options) });
    },
    download(path: string, options: CallOptions = {}): Promise<Uint8Array> {
      const headers = { accept: "*/*" };
      const request = { method: "GET", path: at(path), headers, ...callOf(options) } as const;
      return http.read(request, async (response) => new Uint8Array(await response.arrayBuffer()));
    },
    /** A file's bytes as they come, for one of any size. */
    downloadPieces(path: string, options: CallOptions = {}): AsyncGenerator<Uint8Array> {
      const headers = { accept: "*/*" };
      return bodyPieces(http, { method: "GET", path: at(path), headers, ...callOf(options) });
    },
    /** Writes a whole file; what was there is replaced. */
    async upload(
      path: string,
      data: Uint8Array<ArrayBuffer> | Blob | string,
      options: ChangeOptions & { readonly mediaType?: string } = {},
    ): Promise<void> {
      const headers = { "content-type": options.mediaType ?? "application/octet-stream" };
      await http.json({
        method: "PUT",
        path: at(path),
        bytes: data,
        headers,
        ...callOf(options),
      });
    },
    /** Removes a file, or a folder with all that is in it. */
    async delete(path: string, options: ChangeOptions = {}): Promise<void> {
      await http.json({ method: "DELETE", path: at(path), ...callOf(options) });
    },
    async move(path: string, to: string, options: ChangeOptions = {}): Promise<void> {
      await http.json({ method: "POST", path: `${folder}/move`, body: { path, to }, ...callOf(options) });
    },
  };
}
