import type { Session, SessionStatus } from "@berth/client";
import type { Command } from "commander";
import type { Actions } from "../context.ts";
import { oneLine, safeText } from "../terminal/safe-text.ts";

interface ListFlags {
  readonly agent?: string;
  readonly status?: SessionStatus;
  readonly search?: string;
  readonly archived?: boolean;
  readonly limit: string;
}

export function bindSessionList(actions: Actions, sessions: Command): void {
  const list = sessions
    .command("list")
    .description("List sessions, newest first.")
    .option("--agent <name>", "of one agent")
    .option("--status <status>", "idle, running, waiting, archived or quarantined")
    .option("--search <text>", "part of a title or key")
    .option("--archived", "the archived ones")
    .option("--limit <count>", "at most so many", "50");
  actions.bind<ListFlags>(list, async ({ client, flags, printList, signal }) => {
    const { agent, status, search, archived, limit } = flags;
    const { items } = await (
      await client()
    ).sessions.list({
      limit: Number(limit),
      signal,
      ...(agent !== undefined && { agent }),
      ...(status !== undefined && { status }),
      ...(search !== undefined && { search }),
      ...(archived === true && { archived }),
    });
    printList(
      items,
      columns,
      [agent, status, search].some((one) => one !== undefined) || archived === true
        ? "No session is like that."
        : "There are no sessions. Start one: ./berth chat",
    );
  });
  const show = sessions.command("show <id>").description("Show a session.");
  actions.bind(show, async ({ client, args, print, signal }) => {
    const session = await (await client()).sessions.get(args[0] ?? "", { signal });
    print(session, () => shown(session));
  });
}

const columns = {
  ID: ({ id }: Session) => id,
  STATUS: ({ status }: Session) => status,
  AGENT: ({ agent }: Session) => agent.name,
  UPDATED: ({ updatedAt }: Session) => updatedAt.slice(0, 19).replace("T", " "),
  EVENTS: ({ lastSeq }: Session) => String(lastSeq),
  TITLE: ({ title, key }: Session) => title || key || "-",
};

function shown(session: Session): string {
  const { usage, forkedFrom, metadata } = session;
  const rows: readonly (readonly [string, string | null])[] = [
    ["id", session.id],
    ["status", session.status],
    ["agent", `${session.agent.name} (version ${session.agent.version})`],
    ["model", session.model],
    ["title", session.title],
    ["key", session.key],
    ["owner", session.owner],
    ["seen by", session.visibility === "org" ? "everybody of its organization" : "its owner"],
    ["events", String(session.lastSeq)],
    ["run", session.currentRunId],
    ["tokens", `${usage.inputTokens} in, ${usage.outputTokens} out`],
    ["forked from", forkedFrom === null ? null : `${forkedFrom.sessionId} at ${forkedFrom.seq}`],
    ["created", session.createdAt],
    ["updated", session.updatedAt],
    ...Object.entries(metadata).map(([name, value]) => [oneLine(name, 64), value] as const),
  ];
  return rows
    .flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(12)} ${safeText(value)}\n`]))
    .join("");
}
