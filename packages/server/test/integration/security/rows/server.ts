import type { Rows, Target } from "../../../support/security/matrix-row.ts";

const shared = ({ home }: Target) => ({ params: { sessionId: home.things.sessionId } });

export const serverRows: Rows = {
  getRuntimeStats: { may: "admin", ok: [200] },
  getRuntimeHealth: { may: "admin", ok: [200] },
  listLiveSessions: { may: "admin", ok: [200] },
  evictSession: { may: "operator", ok: [204, 404], given: shared },
  cleanUpRuntime: { may: "operator", ok: [200], given: () => ({ body: {} }) },
  getSystem: { may: "operator", ok: [200] },
  getMe: { may: "anyone", ok: [200], abroad: true },
  getOpenapi: { may: "open", ok: [200] },
  getHealth: { may: "open", ok: [200] },
  getReadiness: { may: "open", ok: [200, 503] },
  getMetrics: { may: "operator", ok: [200] },
  welcome: { may: "open", ok: [200] },
};
