import type { Page, SandboxSecret, SandboxSecretBody } from "@berth/contract";
import type { Http } from "../http.ts";
import { callOf, type CallOptions, type ChangeOptions } from "../pages.ts";

/** The organization's secrets that its agents' sandboxes may use. Values are only ever written. */
export function createSandboxSecrets(http: Http) {
  const path = (name: string) => `/sandbox-secrets/${encodeURIComponent(name)}`;
  return {
    list(options: CallOptions = {}): Promise<Page<SandboxSecret>> {
      return http.json({ method: "GET", path: "/sandbox-secrets", ...callOf(options) });
    },
    /** Makes or replaces one. */
    put(name: string, secret: SandboxSecretBody, options: ChangeOptions = {}): Promise<SandboxSecret> {
      return http.json({ method: "PUT", path: path(name), body: secret, ...callOf(options) });
    },
    async delete(name: string, options: CallOptions = {}): Promise<void> {
      await http.json({ method: "DELETE", path: path(name), ...callOf(options) });
    },
  };
}
