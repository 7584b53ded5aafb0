import { afterEach } from "vitest";
import type { Permission } from "../../../src/auth/permissions.ts";
import { type Api, type ApiOptions, useApi } from "../http/api.ts";
import { listen, type LiveServer } from "./server.ts";

export interface Started {
  readonly api: Api;
  readonly at: LiveServer;
  readonly port: number;
}

interface ServerOptions {
  readonly api?: ApiOptions;
  /** Of the caller; default: all. */
  readonly permissions?: readonly Permission[];
}

/** Starts a server with its streams, and an agent, for a test, and ends it after it. */
export function useServer(): (
  settings?: Parameters<typeof listen>[0]["settings"],
  options?: ServerOptions,
) => Promise<Started> {
  let open: LiveServer | null = null;
  // Hooks run in the opposite order: the server is closed before what it stands on.
  const openApi = useApi();
  afterEach(async () => {
    await open?.close();
    open = null;
  });
  return async (settings = {}, { api: options, permissions } = {}) => {
    const api = await openApi(options);
    await api.agent();
    const principal = permissions ? { ...api.principal, permissions: new Set(permissions) } : api.principal;
    open = await listen({ operations: api.operations, principal, settings });
    return { api, at: open, port: open.port };
  };
}
