import type { RotateVaultBody, RotateVaultReply, VaultStatus } from "@berth/contract";
import type { Http } from "../http.ts";
import { callOf, type CallOptions, type ChangeOptions } from "../pages.ts";

/** How the secrets of all organizations are sealed; for the operator. */
export function createVaultResource(http: Http) {
  return {
    status(options: CallOptions = {}): Promise<VaultStatus> {
      return http.json({ method: "GET", path: "/vault", ...callOf(options) });
    },
    rotate(body: RotateVaultBody = {}, options: ChangeOptions = {}): Promise<RotateVaultReply> {
      return http.json({ method: "POST", path: "/vault/rotate", body, ...callOf(options) });
    },
  };
}
