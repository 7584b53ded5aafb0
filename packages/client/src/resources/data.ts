import type { Backup, CreateErasureBody, CreateExportBody, Erasure, ExportJob, Page } from "@berth/contract";
import { bodyPieces } from "../body-pieces.ts";
import type { Http } from "../http.ts";
import { callOf, type CallOptions, type ChangeOptions, type PageQuery } from "../pages.ts";

/** Copies of what the server holds, and what it is to forget. */
export function createData(http: Http) {
  const get = <T>(path: string, options: CallOptions): Promise<T> =>
    http.json({ method: "GET", path, ...callOf(options) });
  const list = <T>(path: string, { signal, ...query }: PageQuery): Promise<Page<T>> =>
    http.json({ method: "GET", path, query: { ...query }, ...(signal && { signal }) });
  const post = <T>(path: string, body: unknown, options: ChangeOptions): Promise<T> =>
    http.json({ method: "POST", path, body, ...callOf(options) });
  const exportPath = (id: string, rest = "") => `/exports/${encodeURIComponent(id)}${rest}`;

  return {
    backups: {
      /** Begins one; look at it until it is done. */
      create: (options: ChangeOptions = {}): Promise<Backup> => post("/backups", {}, options),
      get: (name: string, options: CallOptions = {}): Promise<Backup> =>
        get(`/backups/${encodeURIComponent(name)}`, options),
      list: (options: CallOptions = {}): Promise<Page<Backup>> => get("/backups", options),
    },
    exports: {
      /** Asks for one; look at it until it is done. */
      create: (body: CreateExportBody, options: ChangeOptions = {}): Promise<ExportJob> =>
        post("/exports", body, options),
      get: (id: string, options: CallOptions = {}): Promise<ExportJob> => get(exportPath(id), options),
      list: (query: PageQuery = {}): Promise<Page<ExportJob>> => list("/exports", query),
      /** The archive as it comes. */
      download: (id: string, options: CallOptions = {}): AsyncGenerator<Uint8Array> =>
        bodyPieces(http, { method: "GET", path: exportPath(id, "/download"), ...callOf(options) }),
      async delete(id: string, options: CallOptions = {}): Promise<void> {
        await http.json({ method: "DELETE", path: exportPath(id), ...callOf(options) });
      },
    },
    erasures: {
      /** Erases a user or the whole organization for good; look at it until it is done. */
      create: (body: CreateErasureBody, options: ChangeOptions = {}): Promise<Erasure> =>
        post("/erasures", body, options),
      /** How far it is; in the end the receipt. */
      get: (id: string, options: CallOptions = {}): Promise<Erasure> =>
        get(`/erasures/${encodeURIComponent(id)}`, options),
      list: (query: PageQuery = {}): Promise<Page<Erasure>> => list("/erasures", query),
    },
  };
}
