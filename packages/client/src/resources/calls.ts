import type { Page } from "@berth/contract";
import type { Http } from "../http.ts";
import { callOf, type CallOptions, type ChangeOptions, type PageQuery } from "../pages.ts";

/** The requests that most resources are made of. */
export function callsOf(http: Http) {
  return {
    get: <T>(path: string, options: CallOptions): Promise<T> =>
      http.json({ method: "GET", path, ...callOf(options) }),
    list: <T>(path: string, { signal, ...query }: PageQuery & Record<string, unknown>): Promise<Page<T>> =>
      http.json({ method: "GET", path, query: query as Query, ...(signal && { signal }) }),
    post: <T>(path: string, body: unknown, options: ChangeOptions): Promise<T> =>
      http.json({ method: "POST", path, body, ...callOf(options) }),
    put: <T>(path: string, body: unknown, options: ChangeOptions): Promise<T> =>
      http.json({ method: "PUT", path, body, ...callOf(options) }),
    patch: <T>(path: string, body: unknown, options: ChangeOptions): Promise<T> =>
      http.json({ method: "PATCH", path, body, ...callOf(options) }),
    delete: <T>(path: string, options: ChangeOptions): Promise<T> =>
      http.json({ method: "DELETE", path, ...callOf(options) }),
  };
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;
