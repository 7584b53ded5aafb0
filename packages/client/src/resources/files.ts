import type { FileList } from "@berth/contract";
import type { Http } from "../http.ts";
import { callOf, type CallOptions, type ChangeOptions } from "../pages.ts";
import { sessionPath } from "./sessions.ts";

export type Files = ReturnType<typeof createFiles>;

/** The files of a session's workspace. Paths are relative to it, with `/` between folders. */
export function createFiles(http: Http, sessionId: string) {
  const at = (path: string) =>
    sessionPath(sessionId, `/files/${path.split("/").map(encodeURIComponent).join("/")}`);
  return {
    list(options: CallOptions & { readonly path?: string } = {}): Promise<FileList> {
      const query = options.path === undefined ? {} : { path: options.path };
      return http.json({ method: "GET", path: sessionPath(sessionId, "/files"), query, ...callOf(options) });
    },
    download(path: string, options: CallOptions = {}): Promise<Uint8Array> {
      const request = {
        method: "GET",
        path: at(path),
        headers: { accept: "*/*" },
        ...callOf(options),
      } as const;
      return http.read(request, async (response) => new Uint8Array(await response.arrayBuffer()));
    },
    /** Writes a whole file; what was there is replaced. */
    async upload(
      path: string,
      data: Uint8Array<ArrayBuffer> | Blob | string,
      options: ChangeOptions & { readonly mediaType?: string } = {},
    ): Promise<void> {
      const headers = { "content-type": options.mediaType ?? "application/octet-stream" };
      await http.json({ method: "PUT", path: at(path), bytes: data, headers, ...callOf(options) });
    },
    async delete(path: string, options: CallOptions = {}): Promise<void> {
      await http.json({ method: "DELETE", path: at(path), ...callOf(options) });
    },
  };
}
