import type { Duplex } from "node:stream";
import type { SandboxFiles } from "./sandbox-files.ts";

export type { FileStat, GrepMatch, SandboxFiles, TreeItem } from "./sandbox-files.ts";

/** What a provider can give on this machine, found by trying. */
export interface Capabilities {
  readonly isolation: "none" | "process" | "namespace" | "gvisor" | "vm";
  /** What people are shown, for example `not isolated`. */
  readonly label: string;
  /** What limits memory, processor and process counts. */
  readonly cgroup: "none" | "v1" | "v2";
  /** `proxy`: no network but the policy proxy; `open`: the host's own network. */
  readonly network: "none" | "proxy" | "open";
  /** `image`: exact; `watched`: measured from time to time, and what writes is ended. */
  readonly diskQuota: "none" | "watched" | "image";
  readonly seccomp: boolean;
  readonly pty: boolean;
  readonly ports: boolean;
  /** One sentence for each thing that is missing: why, and what to do about it. */
  readonly reasons: readonly string[];
  /** Why no sandbox is given out at all; absent when some are. */
  readonly unavailable?: string;
}

/** Hard limits of one sandbox. */
export interface SandboxLimits {
  readonly memoryBytes: number;
  /** Processors, 0.5 for half of one. */
  readonly cpus: number;
  readonly pids: number;
  /** Of the workspace. */
  readonly diskBytes: number;
  readonly inodes: number;
  readonly tmpBytes: number;
  readonly shmBytes: number;
  readonly openFiles: number;
  readonly fileBytes: number;
  /** Commands at the same time, background ones included. */
  readonly processes: number;
}

/** One place that a sandbox may reach. */
export interface EgressRule {
  /** `api.example.com`, `*.example.com` (any name below it), or an address. Lower case. */
  readonly host: string;
  /** Default: 80 and 443. */
  readonly ports?: readonly number[];
  /** Placeholders that the proxy replaces in request headers to this host, so that the sandbox never has the secret. */
  readonly secrets?: readonly EgressSecret[];
}

export interface EgressSecret {
  /** What the sandbox has in the secret's place. Random, and of no use anywhere else. */
  readonly placeholder: string;
  readonly value: string;
}

/** What is not allowed is denied. Private, loopback and link-local addresses are denied even where a name leads to them, unless the operator allows them. */
export interface EgressPolicy {
  readonly allow: readonly EgressRule[];
}

/** What a sandbox is held to; may be changed while it lives. */
export interface SandboxPolicy {
  readonly limits: SandboxLimits;
  readonly egress: EgressPolicy;
}

export interface SandboxSpec {
  /** Sandboxes of one template are interchangeable until they are given out. */
  readonly template: string;
  readonly policy: SandboxPolicy;
  /** The workspace that it begins with; without one it is warm and gets its own by `attach`. */
  readonly workspaceId?: string;
}

/** Names one sandbox of one host. */
export interface SandboxRef {
  /** `sbx_` and 26 characters. */
  readonly id: string;
  /** Of the provider's `hosts()`. */
  readonly host: string;
}

export interface CreateOptions {
  /** Of this life of the id; a stale caller's calls name another one and are refused. */
  readonly incarnation: string;
  /** Whose it is: a sweep never touches another deployment's. */
  readonly deployment: string;
  /** The provider itself ends it when nobody has renewed it for so long. */
  readonly ttlMs: number;
  readonly signal?: AbortSignal;
}

export interface SandboxInfo extends SandboxRef {
  readonly incarnation: string;
  readonly deployment: string;
  readonly template: string;
  readonly workspaceId: string | null;
  /** Without the values of secrets. */
  readonly policy: SandboxPolicy;
  readonly url: string;
  /** Milliseconds since it was made, by the host's own clock. */
  readonly ageMs: number;
  readonly ttlLeftMs: number;
}

/** A place where a provider makes sandboxes: this machine, or a remote host. */
export interface SandboxHostInfo {
  readonly name: string;
  readonly url: string;
  readonly healthy: boolean;
  /** Takes no new ones. */
  readonly draining: boolean;
  readonly live: number;
  /** Memory that may still be promised to sandboxes. */
  readonly freeMemoryBytes: number;
  /** Sandboxes that it still has room for. */
  readonly freeSlots: number;
  readonly problem?: string;
}

/** What a sweep found on a host besides the sandboxes that were asked for. */
export interface SandboxList {
  readonly items: readonly SandboxInfo[];
  /** Things that look like sandboxes and cannot be read: never touched. */
  readonly unreadable: number;
}

/** What a sweep of a host's own remains (mounts, control groups, sockets, folders, processes) ended and left alone. */
export interface Swept {
  readonly removed: number;
  /** Of another deployment, or unreadable. */
  readonly foreign: number;
}

/**
 * Makes sandboxes. Errors: `sandbox_not_found`, `sandbox_lost` (make a new one), `sandbox_busy`, `sandbox_capacity` (no room now, retryable),
 * `sandbox_stale` (another incarnation), `sandbox_unavailable`, `sandbox_unsupported`, `sandbox_timeout`, `sandbox_host_error` (retryable).
 */
export interface SandboxProvider {
  readonly kind: "local-process" | "bubblewrap" | "remote";
  probe(): Promise<Capabilities>;
  /** Never empty; a host that does not answer is there and not healthy. */
  hosts(): Promise<readonly SandboxHostInfo[]>;
  /** Idempotent on id and incarnation. What was made is undone when it fails. */
  create(ref: SandboxRef, spec: SandboxSpec, options: CreateOptions): Promise<SandboxInfo>;
  get(ref: SandboxRef): Promise<SandboxInfo | null>;
  /** All of one deployment on one host, or a rejection: never a part. */
  list(host: string, deployment: string): Promise<SandboxList>;
  /** Puts off its end. */
  renew(ref: SandboxRef, change: { incarnation: string; ttlMs: number }): Promise<SandboxInfo>;
  /** Holds it to another policy; what comes back is what is in force. */
  apply(ref: SandboxRef, change: { incarnation: string; policy: SandboxPolicy }): Promise<SandboxInfo>;
  /** Gives a warm one its workspace, at most once. `sandbox_unsupported` where it cannot be done: make one with that workspace instead. */
  attach(ref: SandboxRef, change: { incarnation: string; workspaceId: string }): Promise<SandboxInfo>;
  /** Ends it and all that belongs to it but its workspace. Idempotent. Refused with `sandbox_stale` when the incarnation is another one. */
  destroy(
    ref: SandboxRef,
    options: { incarnation?: string; reason: string },
  ): Promise<"destroyed" | "absent">;
  /** Rejects with `sandbox_not_found`. `folder`: where in the workspace paths and commands begin. */
  connect(ref: SandboxRef, options?: { folder?: string }): Promise<Sandbox>;
  readonly workspaces: Workspaces;
  /** Removes what dead servers of this deployment left on a host. Never touches what is not provably its own and dead. */
  sweep(host: string, deployment: string): Promise<Swept>;
  /** Ends every sandbox that lives and dies with this process. Idempotent. */
  close(): Promise<void>;
}

export interface WorkspaceRef {
  /** `wsp_` and 26 characters: says nothing about whose it is. */
  readonly id: string;
  readonly host: string;
}

/** Files that outlive sandboxes. */
export interface Workspaces {
  /** Idempotent; an existing one gets the new limits. */
  create(ref: WorkspaceRef, limits: Pick<SandboxLimits, "diskBytes" | "inodes">): Promise<void>;
  /** Its files, whether a sandbox has it or not; null when there is no such workspace. `folder` is made when it is missing. */
  open(ref: WorkspaceRef, options?: { folder?: string }): Promise<SandboxFiles | null>;
  usage(ref: WorkspaceRef): Promise<{ bytes: number; files: number } | null>;
  /** With everything in it, whatever it is. False when there was none. */
  remove(ref: WorkspaceRef, options?: { folder?: string }): Promise<boolean>;
  list(host: string): Promise<readonly string[]>;
}

export interface ProcessSpec {
  /** Run by `bash -c`. */
  readonly command: string;
  /** Relative to the workspace. */
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** With a terminal of this size: output comes in one stream, and input is what is typed. */
  readonly pty?: { readonly columns: number; readonly rows: number };
  /** Keeps its standard input open for `write`. Always so with a pty. */
  readonly input?: boolean;
  /** Is not told among the processes and is forgotten when it has ended. */
  readonly hidden?: boolean;
}

export interface ExecSpec {
  /** Run by `bash -c`. */
  readonly command: string;
  /** Relative to the workspace. */
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Given as its standard input, which is empty otherwise. */
  readonly stdin?: Uint8Array;
  /** In a sandbox of its own, made for this command and ended with all its processes, with the same workspace. Where it cannot be had: `sandbox_unsupported`. */
  readonly oneshot?: boolean;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Called with output as it comes, both streams in order of arrival. */
  readonly onOutput?: (chunk: string) => void;
  /** Bytes of output kept: the head and the tail of it. */
  readonly maxOutputBytes?: number;
}

export type EndReason = "exit" | "timeout" | "killed" | "output_limit" | "oom" | "disk_full" | "lost";

export interface ExecResult {
  readonly code: number | null;
  readonly signal: string | null;
  /** `killed`: by the signal or by the sandbox's end. `output_limit`: it wrote more than the provider takes. `oom`: over the memory limit. */
  readonly reason: EndReason;
  readonly output: string;
  /** Bytes that the process wrote in all. */
  readonly outputBytes: number;
  readonly truncated: boolean;
  readonly durationMs: number;
}

export interface BackgroundProcess {
  readonly id: string;
  readonly command: string;
  readonly running: boolean;
  readonly code: number | null;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** Output of a process, numbered by the bytes before it: whoever was cut off goes on from the offset that it has. */
export type ProcessEvent =
  | {
      readonly type: "output";
      readonly stream: "stdout" | "stderr" | "pty";
      /** Of the first byte, counted over all streams. A gap: older output was no longer kept. */
      readonly offset: number;
      readonly data: Uint8Array;
    }
  | {
      readonly type: "end";
      readonly code: number | null;
      readonly signal: string | null;
      readonly reason: EndReason;
    };

/** Null: this provider does not measure it. */
export interface SandboxMetrics {
  readonly memoryBytes: number | null;
  readonly memoryPeakBytes: number | null;
  readonly cpuMs: number | null;
  readonly pids: number | null;
  readonly diskBytes: number | null;
  readonly oomKills: number | null;
}

/** One that is connected to. Reading its files, processes, metrics and health is no activity. */
export interface Sandbox {
  readonly id: string;
  exec(spec: ExecSpec): Promise<ExecResult>;
  /** Starts a process that goes on after the call. */
  spawn(spec: ProcessSpec): Promise<BackgroundProcess>;
  processes(): Promise<readonly BackgroundProcess[]>;
  /** Output of a background process from an offset on. Null when there is no such process. */
  logs(
    id: string,
    offset?: number,
  ): Promise<{ text: string; nextOffset: number; process: BackgroundProcess } | null>;
  /** Its output from an offset on as it comes, and its end. Rejects with `process_not_found`. */
  attach(id: string, options?: { from?: number; signal?: AbortSignal }): AsyncIterable<ProcessEvent>;
  /** What is typed; null closes its input. Rejects with `process_not_found`. */
  write(id: string, data: Uint8Array | null): Promise<void>;
  resize(id: string, size: { columns: number; rows: number }): Promise<void>;
  /** Kills a background process and everything it started; false when there is no such process. */
  kill(id: string): Promise<boolean>;
  readonly files: SandboxFiles;
  /** Ports on which something listens inside. */
  listening(): Promise<readonly number[]>;
  /** A byte stream to a port of the sandbox's own loopback. Rejects with `port_refused`. */
  openPort(port: number): Promise<Duplex>;
  metrics(): Promise<SandboxMetrics>;
  health(): Promise<{ ok: boolean; problem?: string }>;
}
