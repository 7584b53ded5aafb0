import { z } from "zod";
import { idSchema, timestamp } from "./id.ts";
import { pageOf } from "./list.ts";
import { sandboxAllocationStrategy } from "./user-config.ts";

export const sandboxState = z.enum(["creating", "active", "destroying"]);
export type SandboxState = z.infer<typeof sandboxState>;

export const sandbox = z.strictObject({
  id: idSchema("sandbox"),
  url: z.string().describe("of the host that it is on"),
  host: z.string(),
  state: sandboxState,
  allocationStrategy: sandboxAllocationStrategy,
  userId: z.string().describe("whose quota it counts against"),
  sessions: z
    .array(
      z.strictObject({
        sessionId: idSchema("session"),
        folder: z
          .string()
          .nullable()
          .describe("where its files are in the workspace; null: the whole workspace is its own"),
      }),
    )
    .describe("the one that used it last first"),
  limits: z.strictObject({
    memoryBytes: z.int(),
    cpus: z.number(),
    pids: z.int(),
    diskBytes: z.int(),
    processes: z.int().describe("commands at the same time"),
  }),
  unenforced: z
    .array(z.enum(["memory", "cpus", "pids", "disk"]))
    .describe("limits that nothing holds it to: its host cannot, and berth doctor says why"),
  egress: z.array(z.string()).describe("what it may reach besides nothing"),
  createdAt: timestamp,
  lastUsedAt: timestamp,
  expiresAt: timestamp.describe("when it ends at the latest; its files stay"),
});
export type SandboxInfo = z.infer<typeof sandbox>;

const share = z.strictObject({
  used: z.int().nonnegative(),
  most: z.int().nonnegative().describe("the next one waits, or takes the place of an idle one"),
});
export const sandboxQuota = z.strictObject({
  userId: z.string().describe("who was asked about; else the caller"),
  user: share,
  org: share,
});
export type SandboxQuota = z.infer<typeof sandboxQuota>;

export const sandboxList = pageOf(sandbox).extend({
  quota: sandboxQuota
    .nullable()
    .describe("sandboxes at once, whatever the page shows; null: not counted here"),
});
export type SandboxList = z.infer<typeof sandboxList>;

export const createSandboxBody = z.strictObject({
  sessionId: idSchema("session"),
  waitMs: z
    .int()
    .min(0)
    .max(600_000)
    .optional()
    .describe("how long to wait until one is free; default, and at most: as the server's settings say"),
});
export type CreateSandboxBody = z.infer<typeof createSandboxBody>;

const measured = z.int().nonnegative().nullable();
export const sandboxMetrics = z
  .strictObject({
    memoryBytes: measured,
    memoryPeakBytes: measured,
    cpuMs: measured,
    pids: measured,
    diskBytes: measured,
    oomKills: measured,
  })
  .describe("null: not measured here");
export type SandboxMetrics = z.infer<typeof sandboxMetrics>;

/** That a session had a sandbox. */
export const sandboxAllocation = z.strictObject({
  id: idSchema("allocation"),
  sandboxId: idSchema("sandbox"),
  sandboxUrl: z.string(),
  userId: z.string(),
  sessionId: idSchema("session"),
  allocationStrategy: sandboxAllocationStrategy,
  createdAt: timestamp,
  lastUsedAt: timestamp,
  isActive: z.boolean(),
  endedAt: timestamp.nullable(),
  endReason: z.string().nullable(),
});
export type SandboxAllocation = z.infer<typeof sandboxAllocation>;

const command = z.string().min(1).max(100_000).describe("run by `bash -c`");
const cwd = z.string().min(1).max(1_000).describe("relative to the workspace");
const environment = z
  .record(
    z
      .string()
      .max(128)
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of a variable"),
    z.string().max(32_768),
  )
  .refine((variables) => Object.keys(variables).length <= 100, "at most 100 variables");

/** What a command may last and keep at most. */
export const execLimits = { timeoutMs: 3_600_000, outputBytes: 16 * 1_048_576, stdinChars: 700_000 } as const;

export const execBody = z.strictObject({
  command,
  cwd: cwd.optional(),
  stdin: z.string().max(execLimits.stdinChars).optional().describe("given as its standard input"),
  timeoutMs: z.int().min(1).max(execLimits.timeoutMs).default(120_000),
  maxOutputBytes: z
    .int()
    .min(1)
    .max(execLimits.outputBytes)
    .default(1_048_576)
    .describe("of the output that is kept: its head and its tail"),
  oneshot: z
    .boolean()
    .optional()
    .describe("in a sandbox of its own with the same workspace, gone with all its processes afterwards"),
  environment: environment.optional(),
});
export type ExecBody = z.input<typeof execBody>;

export const endReason = z.enum(["exit", "timeout", "killed", "output_limit", "oom", "disk_full", "lost"]);
export type EndReason = z.infer<typeof endReason>;

export const execResult = z.strictObject({
  code: z.int().nullable(),
  signal: z.string().nullable(),
  reason: endReason,
  output: z.string().describe("both streams, in order of arrival"),
  outputBytes: z.int().nonnegative().describe("that it wrote in all"),
  truncated: z.boolean(),
  durationMs: z.number().nonnegative().describe("in tenths of a millisecond at most"),
});
export type ExecResult = z.infer<typeof execResult>;

/** Id of a background process, such as providers make them. */
export const processId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "must be the id of a process");

export const startProcessBody = z.strictObject({
  command,
  cwd: cwd.optional(),
  environment: environment.optional(),
  input: z.boolean().optional().describe("keeps its standard input open for `input`"),
});
export type StartProcessBody = z.input<typeof startProcessBody>;

export const sandboxProcess = z.strictObject({
  id: z.string(),
  command: z.string(),
  running: z.boolean(),
  code: z.int().nullable(),
  startedAt: timestamp,
});
export type SandboxProcess = z.infer<typeof sandboxProcess>;
export const sandboxProcessList = z.strictObject({ items: z.array(sandboxProcess) });

export const processOutput = z.strictObject({
  process: sandboxProcess,
  text: z.string(),
  nextOffset: z.int().nonnegative().describe("what to ask for next"),
});
export type ProcessOutput = z.infer<typeof processOutput>;

export const processInputBody = z
  .strictObject({
    data: z.string().max(execLimits.stdinChars).optional(),
    close: z.boolean().optional().describe("closes its standard input after the data"),
  })
  .refine(({ data, close }) => data !== undefined || close === true, "give data, or close");
export type ProcessInputBody = z.infer<typeof processInputBody>;

/** `event: output` of a command or process that is followed. Bytes are counted over both streams; a gap between two: output that was not kept. */
export const outputFrame = z.strictObject({
  offset: z.int().nonnegative().describe("of its first byte"),
  text: z.string(),
});
export type OutputFrame = z.infer<typeof outputFrame>;

/** `event: end` of a process that is followed. */
export const processEnd = z.strictObject({
  code: z.int().nullable(),
  signal: z.string().nullable(),
  reason: endReason,
});
export type ProcessEnd = z.infer<typeof processEnd>;

/** What a terminal's socket carries beside bytes. */
const side = z.int().min(1).max(1_000);
export const terminalClientFrame = z.strictObject({ type: z.literal("resize"), columns: side, rows: side });
export type TerminalClientFrame = z.infer<typeof terminalClientFrame>;
export type TerminalServerFrame =
  | { readonly type: "open"; readonly process: string }
  | ({ readonly type: "exit" } & ProcessEnd)
  | { readonly type: "error"; readonly code: string; readonly message: string };

export const terminalQuery = z.strictObject({
  columns: z.coerce.number().pipe(side).default(80),
  rows: z.coerce.number().pipe(side).default(24),
  command: z.string().min(1).max(4_000).optional().describe("default: a login shell"),
  cwd: cwd.optional(),
  keep: z
    .enum(["true", "false"])
    .optional()
    .describe("true: it goes on when the socket closes, and `process` opens it again"),
  process: processId.optional().describe("a terminal that was kept"),
  from: z.coerce.number().int().nonnegative().optional().describe("offset of its output to begin at"),
});

export const port = z.int().min(1).max(65_535);
export const openPortBody = z.strictObject({
  port,
  ttlMs: z.int().min(1_000).max(86_400_000).default(3_600_000),
});
export type OpenPortBody = z.input<typeof openPortBody>;
export const preview = z.strictObject({
  port,
  url: z.string().describe("whoever has it reaches the port until it expires"),
  expiresAt: timestamp,
});
export type Preview = z.infer<typeof preview>;
export const sandboxPort = z.strictObject({
  port,
  listening: z.boolean(),
  open: z
    .strictObject({ openedBy: z.string(), expiresAt: timestamp })
    .nullable()
    .describe("its preview, if there is one"),
});
export type SandboxPort = z.infer<typeof sandboxPort>;
export const sandboxPortList = z.strictObject({ items: z.array(sandboxPort) });

const systemHost = z.strictObject({
  name: z.string(),
  healthy: z.boolean(),
  draining: z.boolean().describe("takes no new ones"),
  live: z.int(),
  freeSlots: z.int(),
  freeMemoryBytes: z.int(),
  problem: z.string().nullable(),
});

/** What `GET /system` tells of sandboxes. */
export const sandboxSystem = z.strictObject({
  provider: z.string(),
  isolation: z.string(),
  label: z.string(),
  reasons: z.array(z.string()).describe("what is missing, and what to do about it"),
  unavailable: z.string().nullable().describe("why no sandbox is given out at all"),
  capabilities: z.strictObject({
    cgroup: z.string(),
    network: z.string(),
    diskQuota: z.string(),
    seccomp: z.boolean(),
    pty: z.boolean(),
    ports: z.boolean(),
  }),
  hosts: z.array(systemHost),
  warm: z.int().describe("made and not given out"),
  live: z.strictObject({ creating: z.int(), active: z.int(), destroying: z.int() }),
});
export type SandboxSystem = z.infer<typeof sandboxSystem>;
