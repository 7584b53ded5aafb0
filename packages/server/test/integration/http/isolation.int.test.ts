import { describe, expect, it } from "vitest";
import { endpoints } from "../../../src/http/routes.ts";
import { newId } from "../../../src/lib/id.ts";
import { type Api, type ApiOptions, type Reply, stranger, useApi } from "../../support/http/api.ts";
import { footprint } from "../../support/http/footprint.ts";

const open = useApi();

async function start(options: ApiOptions = {}): Promise<Api> {
  const api = await open(options);
  await api.agent();
  return api;
}

const message = { type: "user.message", content: "hi" };

/** What each route needs to be asked at all. */
const queries: Readonly<Record<string, string>> = { globFiles: "?pattern=*", grepFiles: "?pattern=x" };
const bodies: Readonly<Record<string, unknown>> = {
  createSession: { agent: "tester" },
  createAgent: { name: "mine", model: "test/model" },
  updateSession: { title: "mine" },
  forkSession: {},
  rewindSession: { toSeq: 1 },
  putTodos: { todos: [] },
  sendEvents: { events: [message] },
  uploadFile: "x",
  moveFile: { path: "a", to: "b" },
  decideApproval: { decision: "allow" },
  putAgent: { name: "mine", model: "test/model" },
};

/** Routes about sessions and what belongs to them. The others have their rows in the security matrix, as these do too. */
const tags = new Set(["sessions", "events", "runs", "approvals", "files", "agents", "catalog", "runtime"]);
const known = new Set(["sessionId", "runId", "agentId", "approvalId", "path"]);
const core = endpoints.filter(
  ({ tag, path }) =>
    tags.has(tag) && [...path.matchAll(/\{(\w+)\}/g)].every(([, name]) => known.has(name ?? "")),
);

describe("things that are not there", () => {
  /** Every such route that names something, asked by one who owns nothing: for an id of somebody else's, one of nobody's, and no id. */
  const named = core.filter(({ path, access }) => path.includes("{") && access !== "open");

  async function ask(
    api: Api,
    ids: Readonly<Record<string, string>>,
    fetch: (request: Request) => Promise<Response>,
  ) {
    const replies: Record<string, Reply> = {};
    for (const { id, method, path } of named) {
      const body = bodies[id];
      const to = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? "x");
      const query = queries[id] ?? "";
      replies[id] = await api.send(method.toUpperCase(), `${to}${query}`, {
        fetch,
        ...(body !== undefined && { body }),
      });
    }
    return replies;
  }

  it("are told in the same words, whether they are somebody else's, nobody's or no ids at all", async () => {
    const api = await start();
    const agentId = (await api.get("/agents/tester")).json<{ id: string }>().id;
    const session = await api.session({ input: "hi" });
    await api.until(session.id, "run.finished");
    const theirs = {
      sessionId: session.id,
      runId: session.input?.runId ?? "",
      agentId,
      approvalId: newId("approval"),
    };
    const nobodys = {
      sessionId: newId("session"),
      runId: newId("run"),
      agentId: newId("agent"),
      approvalId: newId("approval"),
    };
    const none = { sessionId: "ses_1", runId: "x", agentId: "A!", approvalId: "apr_%27--" };
    const before = await footprint(api);
    const fetch = api.appFor(stranger());
    for (const ids of [theirs, nobodys, none]) {
      for (const [route, reply] of Object.entries(await ask(api, ids, fetch))) {
        const told = reply.problem();
        expect({ route, ...told }).toMatchObject({
          route,
          status: 404,
          code: expect.stringMatching(/^(session|run|agent|approval)_not_found$/),
          detail: expect.stringMatching(/^There is no (session|run|agent|approval) /),
        });
      }
    }
    expect(await footprint(api)).toEqual(before);
  });

  it("are in no list of somebody else's", async () => {
    const api = await start();
    const session = await api.session({ input: "hi", key: "k" });
    await api.until(session.id, "run.finished");
    const fetch = api.appFor(stranger());
    for (const path of [
      "/sessions",
      "/sessions?key=k",
      "/agents",
      "/runs",
      `/runs?sessionId=${session.id}`,
      "/approvals",
      "/runtime/sessions",
    ]) {
      const page = (await api.get(path, { fetch })).json();
      expect({ path, ...page }).toEqual({ path, items: [], next: null });
    }
  });
});

describe("permissions", () => {
  it("are asked for by every such route that needs a key, but for a ticket", async () => {
    const api = await start();
    const nobody = api.appFor({ ...api.principal, permissions: new Set() });
    const ids = {
      sessionId: newId("session"),
      runId: newId("run"),
      agentId: newId("agent"),
      approvalId: newId("approval"),
    };
    const own = core.filter(({ access, id }) => access !== "open" && id !== "createTicket");
    for (const { id, method, path } of own) {
      const to = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name as keyof typeof ids] ?? "x");
      const reply = await api.send(method.toUpperCase(), `${to}${queries[id] ?? ""}`, {
        fetch: nobody,
        ...(bodies[id] !== undefined && { body: bodies[id] }),
      });
      expect([id, reply.status, reply.problem().code]).toEqual([id, 403, "forbidden"]);
    }
  });
});
