import type { BerthClient, SandboxInfo } from "@berth/client";
import { CliError, exit } from "../exit.ts";
import { sandboxOf, type Waiting } from "./in-sandbox.ts";

/** A sandbox, and where in its workspace the files of the session are that was named. */
export interface Target {
  readonly id: string;
  readonly cwd?: string;
}

/** What `ses_…` or `sbx_…` stands for; a session that has no sandbox is given one. */
export async function targetOf(context: Waiting, berth: BerthClient, name: string): Promise<Target> {
  if (name.startsWith("sbx_")) return { id: name };
  if (name.startsWith("ses_")) return ofSession(await sandboxOf(context, berth, name), name);
  throw new CliError(
    `${name} is neither a session (ses_…) nor a sandbox (sbx_…): ./berth sessions list`,
    exit.usage,
  );
}

/** The same; without a name the sandbox of one's own that was used last. */
export async function targetOrLast(
  context: Waiting,
  berth: BerthClient,
  name: string | undefined,
): Promise<Target> {
  if (name !== undefined) return targetOf(context, berth, name);
  const { signal } = context;
  const { principal } = await berth.me({ signal });
  const { items } = await berth.sandboxes.list({ state: "active", userId: principal.id, limit: 200, signal });
  const [last] = items.toSorted((a, b) => b.lastUsedAt.localeCompare(a.lastUsedAt));
  if (last === undefined) {
    throw new CliError(
      "You have no sandbox: name the session that shall get one. ./berth sessions list",
      exit.usage,
    );
  }
  return ofSession(last, last.sessions[0]?.sessionId);
}

function ofSession({ id, sessions }: SandboxInfo, sessionId: string | undefined): Target {
  const folder = sessions.find((one) => one.sessionId === sessionId)?.folder ?? null;
  return { id, ...(folder !== null && { cwd: folder }) };
}
