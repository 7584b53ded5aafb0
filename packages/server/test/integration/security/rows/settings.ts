import { newId } from "../../../../src/lib/id.ts";
import type { Rows, Target } from "../../../support/security/matrix-row.ts";

const provider = { baseURL: "https://models.example/v1", models: [] };

async function named({ make }: Target): Promise<{ params: { providerName: string } }> {
  const providerName = `own-${newId("request").slice(-8)}`;
  await make("admin", "PUT", `/model-providers/${providerName}`, provider);
  return { params: { providerName } };
}

const secret = { value: "CANARY-of-a-sandbox-7", hosts: ["api.example.com"] };

async function namedSecret({ make }: Target): Promise<{ params: { secretName: string } }> {
  const secretName = `own-${newId("request").slice(-8)}`;
  await make("admin", "PUT", `/sandbox-secrets/${secretName}`, secret);
  return { params: { secretName } };
}

/** What people and organizations set for themselves. */
export const settingsRows: Rows = {
  listModelProviders: { may: "viewer", ok: [200] },
  putModelProvider: {
    may: "admin",
    ok: [200],
    given: async (target) => ({ ...(await named(target)), body: provider }),
  },
  deleteModelProvider: { may: "admin", ok: [204], given: named },
  listSandboxSecrets: { may: "admin", ok: [200] },
  putSandboxSecret: {
    may: "admin",
    ok: [200],
    given: async (target) => ({ ...(await namedSecret(target)), body: secret }),
  },
  deleteSandboxSecret: { may: "admin", ok: [204], given: namedSecret },
  getUserConfig: { may: "member", ok: [200, 404] },
  ensureUserConfig: { may: "member", ok: [200] },
  createUserConfig: { may: "member", ok: [201, 409], given: () => ({ body: {} }) },
  putUserConfig: { may: "member", ok: [200], given: () => ({ body: {} }) },
  deleteUserConfig: { may: "member", ok: [204, 404] },
  addSharedLink: {
    may: "member",
    ok: [201],
    given: () => ({ body: { url: "https://docs.example/x" } }),
  },
  removeSharedLink: { may: "member", ok: [404], given: () => ({ query: `id=${newId("sharedLink")}` }) },
  addSpFragment: { may: "member", ok: [201], given: () => ({ body: { content: "be kind" } }) },
  removeSpFragment: { may: "member", ok: [404], given: () => ({ query: `id=${newId("spFragment")}` }) },
  putUserModelProviders: { may: "member", ok: [200], given: () => ({ body: { modelProviders: [] } }) },
};
