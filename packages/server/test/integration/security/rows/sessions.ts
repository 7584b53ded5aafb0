import type { Rows, Target } from "../../../support/security/matrix-row.ts";

const shared = ({ home }: Target) => ({ params: { sessionId: home.things.sessionId } });
const asking = ({ home }: Target) => ({ params: { sessionId: home.things.askingSessionId } });

/** A session that may be spoilt: the member's, shared. */
async function fresh({ make }: Target): Promise<{ params: { sessionId: string } }> {
  const { id = "" } = await make("member", "POST", "/sessions", { agent: "helper", visibility: "org" });
  return { params: { sessionId: id } };
}

export const sessionRows: Rows = {
  createSession: { may: "member", ok: [201], given: () => ({ body: { agent: "helper" } }) },
  listSessions: { may: "viewer", ok: [200] },
  getSession: { may: "viewer", ok: [200], link: true, given: shared },
  updateSession: {
    may: "member",
    ok: [200],
    given: async (target) => ({ ...(await fresh(target)), body: { title: "new" } }),
  },
  deleteSession: { may: "member", ok: [204], given: fresh },
  forkSession: { may: "member", ok: [201], given: (target) => ({ ...shared(target), body: {} }) },
  rewindSession: {
    may: "member",
    ok: [200, 409],
    given: async (target) => ({ ...(await fresh(target)), body: { toSeq: 1 } }),
  },
  cancelSession: {
    may: "member",
    ok: [409],
    given: async (target) => ({ ...(await fresh(target)), body: {} }),
  },
  releaseSession: { may: "operator", ok: [409], given: (target) => ({ ...shared(target), body: {} }) },
  exportSession: { may: "viewer", ok: [200], given: shared },
  getSessionSummary: { may: "viewer", ok: [200], given: shared },
  getTodos: { may: "viewer", ok: [200], link: true, given: shared },
  putTodos: {
    may: "member",
    ok: [200],
    given: async (target) => ({ ...(await fresh(target)), body: { todos: [] } }),
  },
  createShareLink: { may: "member", ok: [201], given: (target) => ({ ...shared(target), body: {} }) },
  listShareLinks: { may: "member", ok: [200], given: shared },
  revokeShareLink: {
    may: "member",
    ok: [204],
    async given({ home, make }) {
      const { sessionId } = home.things;
      const { id = "" } = await make("member", "POST", `/sessions/${sessionId}/share-links`, {});
      return { params: { sessionId, linkId: id } };
    },
  },
  sendEvents: {
    may: "member",
    ok: [202],
    async given(target) {
      const events = [{ type: "system.message", content: "noted" }];
      return { ...(await fresh(target)), body: { events } };
    },
  },
  listEvents: { may: "viewer", ok: [200], link: true, given: shared },
  followEvents: { may: "viewer", ok: [200], link: true, given: shared },
  createTicket: { may: "anyone", ok: [201], abroad: true, given: () => ({ body: {} }) },
  listRuns: { may: "viewer", ok: [200] },
  listSessionRuns: { may: "viewer", ok: [200], given: asking },
  getRun: { may: "viewer", ok: [200], given: ({ home }) => ({ params: { runId: home.things.runId } }) },
  cancelRun: {
    may: "member",
    ok: [409],
    given: ({ home }) => ({ params: { runId: home.things.runId }, body: {} }),
  },
  retryRun: {
    may: "member",
    ok: [202, 409],
    given: ({ home }) => ({ params: { runId: home.things.runId }, body: {} }),
  },
  listApprovals: { may: "viewer", ok: [200] },
  getApproval: {
    may: "viewer",
    ok: [200],
    given: ({ home }) => ({ params: { approvalId: home.things.approvalId } }),
  },
  decideApproval: {
    may: "member",
    ok: [200, 409],
    given: ({ home }) => ({
      params: { approvalId: home.things.approvalId },
      body: { decision: "deny", note: "no" },
    }),
  },
};
