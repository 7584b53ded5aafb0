import type { Ask, Seen } from "./call.ts";
import type { Tenant } from "./tenant.ts";

/** What an organization has: of each kind one that everybody there may see, unless its name says otherwise. */
export interface Things {
  readonly agentId: string;
  readonly agentName: string;
  /** The member's, shared with the organization. */
  readonly sessionId: string;
  /** The member's own. */
  readonly privateSessionId: string;
  readonly privateRunId: string;
  /** Waits in a session of its own, which is the member's alone. */
  readonly privateApprovalId: string;
  /** The admin's own. */
  readonly adminSessionId: string;
  readonly runId: string;
  /** Waits in a session of its own, which is the member's and shared. */
  readonly approvalId: string;
  readonly askingSessionId: string;
  readonly askingRunId: string;
  /** In the shared session's workspace. */
  readonly path: string;
  readonly linkId: string;
  readonly linkToken: string;
}

type Call = (key: string | null, ask: Ask) => Promise<Seen>;

export async function furnish(call: Call, tenant: Tenant): Promise<Things> {
  const { mark, people } = tenant;
  const { admin, member } = people;
  const done = (key: string) => maker(call, key);
  const about = { model: "test/model", description: mark, instructions: mark, tools: ["*"] };
  const agent = await done(admin.key)("POST", "/agents", {
    ...about,
    name: "helper",
    permissions: { mode: "auto" },
  });
  await done(admin.key)("POST", "/agents", { ...about, name: "careful", permissions: { mode: "approval" } });
  const post = done(member.key);
  const session = (body: object, key = member.key) =>
    done(key)("POST", "/sessions", { agent: "helper", title: mark, metadata: { mark }, ...body });
  const shared = await session({ key: "same-key", visibility: "org", input: mark });
  const own = await session({ key: "same-private-key", input: mark });
  const admins = await session({}, admin.key);
  const act = { agent: "careful", input: `call act ${JSON.stringify({ say: mark })}` };
  const asking = await session({ ...act, visibility: "org" });
  const askingAlone = await session(act);
  const approvalId = await firstApproval(call, member.key, asking.id);
  await call(member.key, {
    method: "PUT",
    path: `/api/v1/sessions/${shared.id}/files/notes.txt`,
    body: new TextEncoder().encode(mark),
  });
  const link = await post("POST", `/sessions/${shared.id}/share-links`, {});
  return {
    agentId: agent.id,
    agentName: "helper",
    sessionId: shared.id,
    privateSessionId: own.id,
    privateRunId: own.input?.runId ?? "",
    privateApprovalId: await firstApproval(call, member.key, askingAlone.id),
    adminSessionId: admins.id,
    runId: shared.input?.runId ?? "",
    approvalId,
    askingSessionId: asking.id,
    askingRunId: asking.input?.runId ?? "",
    path: "notes.txt",
    linkId: link.id,
    linkToken: link.token ?? "",
  };
}

interface Made {
  readonly id: string;
  readonly token?: string;
  readonly input?: { readonly runId: string | null };
}

/** Sends what has to succeed, and gives what came of it. */
export function maker(call: Call, key: string) {
  return async (method: string, path: string, body: unknown): Promise<Made> => {
    const { status, text } = await call(key, { method, path: `/api/v1${path}`, body });
    if (status < 200 || status > 299) throw new Error(`${method} ${path} answered ${status}: ${text}`);
    return JSON.parse(text) as Made;
  };
}

/** Id of the session's first approval, as soon as it waits. */
export async function firstApproval(call: Call, key: string, sessionId: string): Promise<string> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const path = `/api/v1/approvals?sessionId=${sessionId}&status=pending`;
    const { text } = await call(key, { method: "GET", path });
    const [found] = (JSON.parse(text) as { items: { id: string }[] }).items;
    if (found !== undefined) return found.id;
    if (Date.now() > deadline) throw new Error(`session ${sessionId} asked for nothing: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
