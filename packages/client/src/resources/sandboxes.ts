import type {
  ExecBody,
  ExecResult,
  OpenPortBody,
  Page,
  Preview,
  ProcessInputBody,
  ProcessOutput,
  SandboxAllocation,
  SandboxInfo,
  SandboxList,
  SandboxMetrics,
  SandboxPort,
  SandboxProcess,
  SandboxState,
  StartProcessBody,
} from "@berth/contract";
import { execStream, followProcess, type ExecEvent } from "../output.ts";
import { callOf, type CallOptions, type ChangeOptions, type PageQuery } from "../pages.ts";
import type { ApiRequest } from "../http.ts";
import type { Connector } from "../session/event-source.ts";
import { openTerminal, type TerminalHandle, type TerminalOptions } from "../terminal.ts";
import { callsOf } from "./calls.ts";

export interface SandboxQuery extends PageQuery {
  readonly state?: SandboxState;
  readonly userId?: string;
  readonly sessionId?: string;
}

export interface AllocationQuery extends PageQuery {
  readonly sandboxId?: string;
  readonly userId?: string;
  readonly sessionId?: string;
  readonly isActive?: boolean;
}

interface CreateSandboxOptions extends ChangeOptions {
  /** How long the server may wait until one is free, milliseconds; default, and at most: as its settings say. */
  readonly waitMs?: number;
  /** How often it is sent again when none is free; default: as the client's options say. */
  readonly retries?: number;
}

/** How long an answer may take beyond the command's own time, milliseconds. */
const graceMs = 30_000;

/** What a wait for room may take, milliseconds. */
const roomMs = 660_000;

/** Where commands of sessions run. */
export function createSandboxes(connector: Connector) {
  const { http } = connector;
  const { get, list, post, delete: remove } = callsOf(http);
  const path = (id: string, rest = "") => `/sandboxes/${encodeURIComponent(id)}${rest}`;
  const of = (id: string, process: string, rest = "") =>
    path(id, `/processes/${encodeURIComponent(process)}${rest}`);
  return {
    sandboxes: {
      /** With how many of how many are in use. */
      list: ({ signal, ...query }: SandboxQuery = {}): Promise<SandboxList> =>
        http.json({ method: "GET", path: "/sandboxes", query, ...(signal && { signal }) }),
      get: (id: string, options: CallOptions = {}) => get<SandboxInfo>(path(id), options),
      /** The session's sandbox, given to it when it has none. */
      create: (sessionId: string, options: CreateSandboxOptions = {}): Promise<SandboxInfo> =>
        http.json(creation(sessionId, options)),
      /** Ends what runs in it and takes it back; the files stay. */
      destroy: async (id: string, options: ChangeOptions = {}): Promise<void> => {
        await remove(path(id), options);
      },
      metrics: (id: string, options: CallOptions = {}) => get<SandboxMetrics>(path(id, "/metrics"), options),
      /** Runs a command to its end. It is sent once: whether one ran that got no answer nobody knows. */
      exec: (id: string, body: ExecBody, options: CallOptions = {}): Promise<ExecResult> =>
        http.json({
          method: "POST",
          path: path(id, "/exec"),
          body,
          retries: 0,
          timeoutMs: (body.timeoutMs ?? 120_000) + graceMs,
          ...callOf(options),
        }),
      /** The same with its output as it comes; the result is the last event. */
      execStream: (id: string, body: ExecBody, options: CallOptions = {}): AsyncGenerator<ExecEvent> =>
        execStream(connector, { path: path(id, "/exec"), body }, options.signal),
      /** Background processes, newest first. */
      processes: async (id: string, options: CallOptions = {}): Promise<readonly SandboxProcess[]> =>
        (await get<{ items: readonly SandboxProcess[] }>(path(id, "/processes"), options)).items,
      /** Starts a process that goes on. It is sent once. */
      spawn: (id: string, body: StartProcessBody, options: CallOptions = {}): Promise<SandboxProcess> =>
        http.json({ method: "POST", path: path(id, "/processes"), body, retries: 0, ...callOf(options) }),
      /** A process and its output from an offset on. */
      process: (id: string, process: string, offset = 0, options: CallOptions = {}): Promise<ProcessOutput> =>
        http.json({ method: "GET", path: of(id, process), query: { offset }, ...callOf(options) }),
      /** Its output as it comes, to its end, over as many connections as it takes. */
      follow: (id: string, process: string, options: CallOptions & { readonly from?: number } = {}) =>
        followProcess(connector, { path: of(id, process), from: options.from ?? 0 }, options.signal),
      /** Gives it standard input. It is sent once. */
      input: async (id: string, process: string, body: ProcessInputBody, options: CallOptions = {}) => {
        const request = { method: "POST", path: of(id, process, "/input"), body, retries: 0 } as const;
        await http.json({ ...request, ...callOf(options) });
      },
      /** Kills a process and all that it started. */
      kill: async (id: string, process: string, options: ChangeOptions = {}): Promise<void> => {
        await remove(of(id, process), options);
      },
      /** A terminal. It ends when its connection does, unless it is kept. */
      terminal: (id: string, options: TerminalOptions = {}): Promise<TerminalHandle> =>
        openTerminal(connector, path(id, "/terminal"), options),
      /** Ports on which something listens, and those that are open. */
      ports: async (id: string, options: CallOptions = {}): Promise<readonly SandboxPort[]> =>
        (await get<{ items: readonly SandboxPort[] }>(path(id, "/ports"), options)).items,
      /** An address at which a browser reaches the port. */
      openPort: (id: string, body: OpenPortBody, options: ChangeOptions = {}) =>
        post<Preview>(path(id, "/ports"), body, options),
      closePort: async (id: string, port: number, options: ChangeOptions = {}): Promise<void> => {
        await remove(path(id, `/ports/${port}`), options);
      },
    },
    /** Which session had which sandbox, and when. */
    sandboxAllocations: {
      list: (query: AllocationQuery = {}): Promise<Page<SandboxAllocation>> =>
        list("/sandbox-allocations", { ...query }),
      get: (id: string, options: CallOptions = {}) =>
        get<SandboxAllocation>(`/sandbox-allocations/${encodeURIComponent(id)}`, options),
    },
  };
}

function creation(sessionId: string, { waitMs, retries, ...options }: CreateSandboxOptions): ApiRequest {
  return {
    method: "POST",
    path: "/sandboxes",
    body: { sessionId, ...(waitMs !== undefined && { waitMs }) },
    timeoutMs: roomMs,
    ...(retries !== undefined && { retries }),
    ...callOf(options),
  };
}
