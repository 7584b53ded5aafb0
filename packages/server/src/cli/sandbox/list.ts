import type {
  SandboxAllocation,
  SandboxInfo,
  SandboxMetrics,
  SandboxQuota,
  SandboxState,
} from "@berth/client";
import type { Command } from "commander";
import { formatByteSize } from "../../lib/byte-size.ts";
import type { Actions } from "../context.ts";
import { CliError } from "../exit.ts";
import { inOrg } from "../identity/org-option.ts";
import { inSandbox } from "./in-sandbox.ts";
import { safeText } from "../terminal/safe-text.ts";
import { targetOf } from "./target.ts";

interface ListFlags {
  readonly state?: SandboxState;
  readonly session?: string;
  readonly user?: string;
  readonly limit: string;
}

export function bindSandboxList(actions: Actions, sandbox: Command): void {
  const list = inOrg(
    sandbox
      .command("list")
      .description("List sandboxes that there are now, newest first.")
      .option("--state <state>", "creating, active or destroying")
      .option("--session <id>", "of one session")
      .option("--user <id>", "of one user or service account")
      .option("--limit <count>", "at most so many", "50"),
  );
  actions.bind<ListFlags>(list, async ({ client, flags, printer, printList, signal }) => {
    const { state, session, user, limit } = flags;
    const { items, quota } = await (
      await client()
    ).sandboxes.list({
      limit: Number(limit),
      signal,
      ...(state !== undefined && { state }),
      ...(session !== undefined && { sessionId: session }),
      ...(user !== undefined && { userId: user }),
    });
    printList(items, columns, "There are no sandboxes: a session gets one with its first command.");
    if (flags.json !== true && quota !== null) printer.out(`\n${quotaText(quota, user)}`);
  });
  const show = inOrg(
    sandbox.command("show <session|sandbox>").description("Show a sandbox, or the one that a session has."),
  );
  actions.bind(show, async ({ client, args, print, signal }) => {
    const [name = ""] = args;
    const { sandboxes } = await client();
    const found = name.startsWith("ses_")
      ? (await sandboxes.list({ sessionId: name, limit: 1, signal })).items[0]
      : await sandboxes.get(name, { signal });
    if (found === undefined) {
      throw new CliError(
        `The session ${name} has no sandbox now: ./berth sandbox create ${name} gives it one.`,
      );
    }
    print(found, () => shown(found));
  });
  const metrics = inSandbox(
    sandbox.command("metrics <session|sandbox>").description("Show what a sandbox uses now."),
  );
  actions.bind(metrics, async (context) => {
    const { client, args, print, signal } = context;
    const berth = await client();
    const { id } = await targetOf(context, berth, args[0] ?? "");
    const figures = await berth.sandboxes.metrics(id, { signal });
    print(figures, () => figuresText(figures));
  });
}

interface AllocationFlags {
  readonly sandbox?: string;
  readonly session?: string;
  readonly user?: string;
  readonly active?: boolean;
  readonly limit: string;
}

export function bindAllocations(actions: Actions, sandbox: Command): void {
  const allocations = inOrg(
    sandbox
      .command("allocations")
      .description("List which session had which sandbox, newest first.")
      .option("--sandbox <id>", "of one sandbox")
      .option("--session <id>", "of one session")
      .option("--user <id>", "of one user or service account")
      .option("--active", "only those that last")
      .option("--limit <count>", "at most so many", "50"),
  );
  actions.bind<AllocationFlags>(allocations, async ({ client, flags, printList, signal }) => {
    const { sandbox: id, session, user, active, limit } = flags;
    const { items } = await (
      await client()
    ).sandboxAllocations.list({
      limit: Number(limit),
      signal,
      ...(id !== undefined && { sandboxId: id }),
      ...(session !== undefined && { sessionId: session }),
      ...(user !== undefined && { userId: user }),
      ...(active === true && { isActive: true }),
    });
    printList(items, allocationColumns, "No session had a sandbox yet.");
  });
}

/** Of whom `--user` named, else of the caller. */
function quotaText({ user, org }: SandboxQuota, named: string | undefined): string {
  const whose = named === undefined ? "yours" : `those of ${safeText(named)}`;
  return `In use at once: ${user.used} of ${user.most} of ${whose}, ${org.used} of ${org.most} of the organization's.\n`;
}

const time = (text: string) => text.slice(0, 19).replace("T", " ");

const columns = {
  ID: ({ id }: SandboxInfo) => id,
  STATE: ({ state }: SandboxInfo) => state,
  STRATEGY: ({ allocationStrategy }: SandboxInfo) => allocationStrategy,
  USED: ({ lastUsedAt }: SandboxInfo) => time(lastUsedAt),
  HOST: ({ host }: SandboxInfo) => host,
  SESSION: ({ sessions }: SandboxInfo) =>
    sessions.length > 1
      ? `${sessions[0]?.sessionId}(+${sessions.length - 1})`
      : (sessions[0]?.sessionId ?? "-"),
};

const allocationColumns = {
  SANDBOX: ({ sandboxId }: SandboxAllocation) => sandboxId,
  SESSION: ({ sessionId }: SandboxAllocation) => sessionId,
  STRATEGY: ({ allocationStrategy }: SandboxAllocation) => allocationStrategy,
  FROM: ({ createdAt }: SandboxAllocation) => time(createdAt),
  TO: ({ endedAt }: SandboxAllocation) => (endedAt === null ? "now" : time(endedAt)),
  ENDED: ({ endReason }: SandboxAllocation) => endReason ?? "-",
};

function shown(found: SandboxInfo): string {
  const { limits, egress } = found;
  const held = (name: SandboxInfo["unenforced"][number], text: string) =>
    found.unenforced.includes(name) ? `${text}, which nothing enforces here: see ./berth doctor` : text;
  const rows: readonly (readonly [string, string])[] = [
    ["id", found.id],
    ["state", found.state],
    ["host", `${found.host} (${found.url})`],
    ["strategy", found.allocationStrategy],
    ["user", found.userId],
    ...found.sessions.map(
      ({ sessionId, folder }) =>
        ["session", folder === null ? sessionId : `${sessionId} in ${folder}`] as const,
    ),
    ["memory", held("memory", formatByteSize(limits.memoryBytes))],
    ["processors", held("cpus", String(limits.cpus))],
    ["processes", held("pids", String(limits.pids))],
    ["workspace", held("disk", formatByteSize(limits.diskBytes))],
    ["may reach", egress.length === 0 ? "nothing" : egress.join(", ")],
    ["created", found.createdAt],
    ["last used", found.lastUsedAt],
    ["ends", `${found.expiresAt} at the latest; its files stay`],
  ];
  return linesOf(rows);
}

function figuresText(figures: SandboxMetrics): string {
  const bytes = (value: number | null) => (value === null ? "not measured" : formatByteSize(value));
  const plain = (value: number | null, unit = "") => (value === null ? "not measured" : `${value}${unit}`);
  return linesOf([
    ["memory", bytes(figures.memoryBytes)],
    ["peak", bytes(figures.memoryPeakBytes)],
    ["processor", plain(figures.cpuMs, " ms")],
    ["processes", plain(figures.pids)],
    ["workspace", bytes(figures.diskBytes)],
    ["oom kills", plain(figures.oomKills)],
  ]);
}

function linesOf(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([name, value]) => `${name.padEnd(12)} ${safeText(value)}\n`).join("");
}
