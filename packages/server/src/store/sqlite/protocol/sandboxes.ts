import type { SystemSandboxes } from "../../sandboxes.ts";

type Of<K extends keyof SystemSandboxes> = Parameters<SystemSandboxes[K]>[0];
type Result<K extends keyof SystemSandboxes> = Awaited<ReturnType<SystemSandboxes[K]>>;

/** What changes sandboxes, allocations and workspaces. */
export interface SandboxOperations {
  beatInstance(instance: string): void;
  removeInstance(instance: string): void;
  reserveSandbox(args: Of<"reserve">): Result<"reserve">;
  reserveWarmSandbox(args: Of<"reserveWarm">): Result<"reserveWarm">;
  moveSandbox(args: Of<"move">): Result<"move">;
  activateSandbox(args: Of<"activate">): Result<"activate">;
  joinSandbox(args: Of<"join">): boolean;
  leaveSandbox(args: Of<"leave">): boolean;
  noteSandboxPolicy(args: Of<"notePolicy">): boolean;
  touchSandboxes(uses: Of<"touch">): Result<"touch">;
  ensureWorkspace(args: Of<"ensureWorkspace">): Result<"ensureWorkspace">;
  removeWorkspace(args: Of<"removeWorkspace">): boolean;
  noteWorkspace(args: Of<"noteWorkspace">): void;
  beginWorkspaceCopy(args: Of<"beginWorkspaceCopy">): boolean;
  cancelWorkspaceCopies(of: string): void;
  moveWorkspace(args: Of<"moveWorkspace">): boolean;
  noteWorkspaceFilled(args: Of<"noteWorkspaceFilled">): boolean;
  claimLeftover(workspaceId: string): boolean;
  forgetLeftover(workspaceId: string): void;
  pruneSandboxes(args: Of<"prune"> & { readonly limit: number }): number;
}
