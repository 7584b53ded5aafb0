import { BerthError } from "../lib/errors.ts";

const sandboxId = /^sbx_[0-9a-z]{20,32}$/;
const workspaceId = /^wsp_[0-9a-z]{20,32}$/;

export function isSandboxId(id: string): boolean {
  return sandboxId.test(id);
}

/** Ids become names of folders and parts of addresses. Throws `sandbox_invalid`. */
export function checkSandboxId(id: string): void {
  if (!isSandboxId(id))
    throw new BerthError("sandbox_invalid", "A sandbox's id is `sbx_` and 20 to 32 small letters or digits.");
}

/** Throws `workspace_invalid`. */
export function checkWorkspaceId(id: string): void {
  if (!workspaceId.test(id)) {
    throw new BerthError(
      "workspace_invalid",
      "A workspace's id is `wsp_` and 20 to 32 small letters or digits.",
    );
  }
}
