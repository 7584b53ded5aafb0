import type { SandboxAllocationStrategy } from "@berth/contract";
import type { Capabilities, EgressPolicy, Sandbox, SandboxFiles, SandboxLimits } from "../sandbox/sandbox.ts";

/** A session, as sandboxes know it. */
export interface SessionPlace {
  readonly orgId: string;
  readonly sessionId: string;
}

/** What a session's agent wants of its sandbox. */
export interface SandboxWish {
  readonly strategy?: SandboxAllocationStrategy;
  readonly limits?: Partial<SandboxLimits>;
  readonly egress?: EgressPolicy;
  /** Of every command, besides the provider's own. Never a secret: placeholders stand for those. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface SandboxRequest extends SessionPlace {
  /** The session's owner, whose quota counts. Default: as the store says. */
  readonly userId?: string;
  readonly wish?: SandboxWish;
  /** How long to wait for room at most, milliseconds. Default, and at most: as the settings say. */
  readonly waitMs?: number;
  /** Ends the wait for room. */
  readonly signal?: AbortSignal;
  /** Is told, before `connect` resolves, when the session had no sandbox and was given one. */
  readonly onGiven?: (given: SandboxGiven) => void;
}

/** A sandbox that a session was just given. */
export interface SandboxGiven {
  readonly sandboxId: string;
  readonly allocationStrategy: SandboxAllocationStrategy;
  /** It was ready before it was asked for. */
  readonly warm: boolean;
  /** The one that the session had before, and why it went. */
  readonly before?: { readonly sandboxId: string; readonly reason: string };
}

/** The sandboxes and workspaces of sessions: who gets which, and when it is taken back. */
export interface SessionSandboxes {
  readonly kind: "none" | "local-process" | "bubblewrap" | "remote";
  probe(): Promise<Capabilities>;
  /** The session's sandbox, given out when it has none. Rejects with `sandbox_quota` (429, with `retryAfterMs`), `sandbox_capacity`, `sandbox_unavailable`, and with `workspace_lost` when the session's files went with their host: `workspace` makes them anew. */
  connect(request: SandboxRequest): Promise<Sandbox>;
  /**
   * The session's files, without a sandbox; the workspace is made when it is missing, or when its host is dead. `begin` gives it the files
   * that it begins with: one that lost its own is the session's again only when that has resolved.
   */
  workspace(place: SessionPlace, begin?: (files: SandboxFiles) => Promise<void>): Promise<SandboxFiles>;
  /** The session's files if it has a workspace that can be reached; never makes one. Null also when they went with their host. Calls reject with `workspace_lost` when that happens later. */
  files(place: SessionPlace): Promise<SandboxFiles | null>;
  /**
   * Ends its processes, takes the sandbox back and deletes the files. Idempotent. With `withinMs`, for a session that is deleted: what its
   * host has not done by then goes on by itself, and the upkeep tries again what fails; it is `left` then, and nothing rejects.
   */
  destroy(
    place: SessionPlace,
    options?: { readonly withinMs: number },
  ): Promise<"destroyed" | "absent" | "left">;
  /** Ends the session's processes, takes the sandbox back and keeps the files. Idempotent; also ends what a crashed server left behind. */
  release(place: SessionPlace): Promise<void>;
  /** Ends what a crashed server left. Returns how many things. */
  reapLeftovers(): Promise<number>;
  /** Ends everything that lives and dies with this process. Idempotent. */
  close(): Promise<void>;
}
