import { newId } from "../../../../src/lib/id.ts";
import type { Rows, Target } from "../../../support/security/matrix-row.ts";

const named = ({ home }: Target) => ({ params: { agentId: home.things.agentId } });
const definition = (name: string) => ({ name, model: "test/model" });
const newName = () => `agent-${newId("request").slice(-10)}`;

/** An agent that may be spoilt. */
async function fresh({ make }: Target): Promise<{ params: { agentId: string }; name: string }> {
  const { id = "", name = "" } = await make("admin", "POST", "/agents", definition(newName()));
  return { params: { agentId: id }, name };
}

export const agentRows: Rows = {
  createAgent: { may: "admin", ok: [201], given: () => ({ body: definition(newName()) }) },
  listAgents: { may: "viewer", ok: [200], abroad: true },
  getAgent: { may: "viewer", ok: [200], abroad: true, given: named },
  putAgent: {
    may: "admin",
    ok: [200],
    async given(target) {
      const { params, name } = await fresh(target);
      return { params, body: definition(name) };
    },
  },
  listAgentVersions: { may: "viewer", ok: [200], abroad: true, given: named },
  archiveAgent: {
    may: "admin",
    ok: [200],
    given: async (target) => ({ params: (await fresh(target)).params, body: {} }),
  },
  unarchiveAgent: {
    may: "admin",
    ok: [200],
    given: async (target) => ({ params: (await fresh(target)).params, body: {} }),
  },
  listTools: { may: "viewer", ok: [200] },
  listModels: { may: "viewer", ok: [200] },
};
