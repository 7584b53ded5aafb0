import type { Told } from "../../support/security/audited.ts";
import { as, made } from "../../support/security/people.ts";
import {
  config,
  exported,
  live,
  loggedIn,
  password,
  person,
  quarantined,
  session,
  waiting,
  word,
} from "../../support/security/prepared.ts";
import { newMember } from "../../support/security/tenant.ts";

const reads = "reads";
const inLog = "is in the session's own log, with who did it";
const looked = "only reads, and says what it found";
const own = "changes nothing but the caller's own browser, for as long as it asks";

const sessions: Told = {
  createSession: inLog,
  listSessions: reads,
  getSession: reads,
  updateSession: {
    action: "session.visibility_changed",
    given: async (target) => ({
      params: { sessionId: await session(target) },
      body: { visibility: "org", title: "shared" },
    }),
  },
  deleteSession: { action: "session.deleted" },
  forkSession: { action: "session.forked" },
  rewindSession: inLog,
  cancelSession: inLog,
  releaseSession: { action: "session.released", given: quarantined },
  exportSession: { action: "session.exported" },
  getSessionSummary: reads,
  getTodos: reads,
  putTodos: inLog,
  createShareLink: { action: "share_link.created" },
  listShareLinks: reads,
  revokeShareLink: { action: "share_link.revoked" },
  sendEvents: inLog,
  listEvents: reads,
  followEvents: reads,
  createTicket: own,
  listRuns: reads,
  listSessionRuns: reads,
  getRun: reads,
  cancelRun: inLog,
  retryRun: inLog,
  listApprovals: reads,
  getApproval: reads,
  decideApproval: { action: "approval.decided", given: waiting },
  listFiles: reads,
  downloadFile: reads,
  uploadFile: inLog,
  deleteFile: inLog,
  moveFile: inLog,
  archiveFiles: reads,
  extractArchive: inLog,
  globFiles: reads,
  grepFiles: reads,
};

const withPorts = "is shown with sandboxes that have ports, in sandboxes/api.int.test.ts";

const sandboxes: Told = {
  listSandboxes: reads,
  createSandbox: {
    action: "sandbox.created",
    given: async (target) => ({ body: { sessionId: await session(target) } }),
  },
  getSandbox: reads,
  deleteSandbox: { action: "sandbox.destroyed" },
  getSandboxMetrics: reads,
  runSandboxCommand: { action: "sandbox.command_run" },
  startSandboxProcess: { action: "sandbox.process_started" },
  listSandboxProcesses: reads,
  getSandboxProcess: reads,
  feedSandboxProcess: "goes to a process whose start was told",
  endSandboxProcess: { action: "sandbox.process_ended" },
  openSandboxPort: withPorts,
  listSandboxPorts: reads,
  closeSandboxPort: withPorts,
  listSandboxAllocations: reads,
  getSandboxAllocation: reads,
};

const definitions: Told = {
  createAgent: { action: "agent.created" },
  listAgents: reads,
  getAgent: reads,
  putAgent: { action: "agent.updated" },
  listAgentVersions: reads,
  archiveAgent: { action: "agent.archived" },
  unarchiveAgent: { action: "agent.unarchived" },
  listTools: reads,
  listModels: reads,
  listModelProviders: reads,
  putModelProvider: { action: "model_provider.saved" },
  deleteModelProvider: { action: "model_provider.deleted" },
  listSandboxSecrets: reads,
  putSandboxSecret: { action: "sandbox_secret.saved" },
  deleteSandboxSecret: { action: "sandbox_secret.deleted" },
  getUserConfig: reads,
  ensureUserConfig: { action: "user_config.created" },
  createUserConfig: {
    action: "user_config.created",
    async given(target) {
      await as(target.world, target.home.people.owner.key).delete("/user-config");
      return { body: {} };
    },
  },
  putUserConfig: { action: "user_config.changed" },
  deleteUserConfig: { action: "user_config.deleted" },
  addSharedLink: { action: "user_config.shared_link_added" },
  removeSharedLink: {
    action: "user_config.shared_link_removed",
    given: config("sharedLinks", "shared-links", { url: "https://docs.example/y" }),
  },
  addSpFragment: { action: "user_config.sp_fragment_added" },
  removeSpFragment: {
    action: "user_config.sp_fragment_removed",
    given: config("customSpFragments", "sp-fragments", { content: "be brief" }),
  },
  putUserModelProviders: { action: "user_config.model_providers_changed" },
  createBudget: { action: "budget.created" },
  listBudgets: reads,
  getBudget: reads,
  updateBudget: { action: "budget.updated" },
  removeBudget: { action: "budget.removed" },
  allowBudget: { action: "budget.allowed" },
  getUsage: reads,
};

const identity: Told = {
  createOrg: { action: "org.created" },
  listOrgs: reads,
  getOrg: reads,
  updateOrg: { action: "org.updated" },
  listMembers: reads,
  getMember: reads,
  updateMember: {
    action: "member.role_changed",
    async given({ home, world }) {
      const who = { orgId: home.orgId, email: `${word()}@people.example`, role: "viewer" } as const;
      return { params: { userId: await newMember(world.parts, who) }, body: { role: "member" } };
    },
  },
  removeMember: { action: "member.removed" },
  createInvitation: { action: "member.invited" },
  listInvitations: reads,
  acceptInvitation: {
    action: "invitation.accepted",
    async given({ world, home }) {
      const body = { kind: "join", email: `${word()}@people.example`, role: "viewer" };
      const reply = await as(world, home.people.owner.key).post("/invitations", body);
      const { token } = made<{ token: string }>(reply);
      return { body: { token: world.canaries.keep("invitation", token), password } };
    },
  },
  revokeInvitation: { action: "invitation.revoked" },
  listRoles: reads,
  putRole: { action: "role.put" },
  deleteRole: { action: "role.deleted" },
  createServiceAccount: { action: "service_account.created" },
  listServiceAccounts: reads,
  getServiceAccount: reads,
  updateServiceAccount: { action: "service_account.updated" },
  deleteServiceAccount: { action: "service_account.deleted" },
  createApiKey: { action: "api_key.created" },
  listApiKeys: reads,
  getApiKey: reads,
  rotateApiKey: { action: "api_key.rotated" },
  revokeApiKey: { action: "api_key.revoked" },
  getOwnAccount: reads,
  updateOwnAccount: {
    action: "user.renamed",
    without: "key",
    given: async (target) => ({ headers: (await loggedIn(target)).headers, body: { name: "Sam" } }),
  },
  changeOwnPassword: {
    action: "user.password_changed",
    without: "key",
    async given(target) {
      const { headers } = await loggedIn(target);
      return { headers, body: { current: password, new: "another long password" } };
    },
  },
  listOwnLogins: reads,
  endOwnLogin: {
    action: "user.login_ended",
    without: "key",
    async given(target) {
      const { headers } = await loggedIn(target);
      const reply = await as(target.world, null, headers).get("/users/me/logins");
      const [login] = made<{ items: { id: string }[] }>(reply, 200).items;
      return { headers, params: { loginId: login?.id ?? "" } };
    },
  },
  endOwnLogins: {
    action: "user.login_ended",
    without: "key",
    async given(target) {
      const { email } = await loggedIn(target);
      return { headers: (await loggedIn(target, email)).headers };
    },
  },
  logIn: {
    action: "login.started",
    given: async (target) => ({ body: { email: (await person(target)).email, password } }),
  },
  logOut: {
    action: "login.ended",
    without: "key",
    given: async (target) => ({ headers: (await loggedIn(target)).headers, body: {} }),
  },
  getLogin: reads,
  moveLogin: own,
  setUpOwner: { action: "owner.set_up" },
  listLoginMethods: reads,
  beginOidcLogin: "is told of when the login has come to its end",
  finishOidcLogin: "is shown with a real identity provider, in identity-provider.int.test.ts",
};

const governance: Told = {
  getRuntimeStats: reads,
  getRuntimeHealth: reads,
  listLiveSessions: reads,
  evictSession: { action: "session.evicted", given: live, again: [409] },
  cleanUpRuntime: { action: "runtime.cleaned_up" },
  listQuotas: reads,
  setQuotas: { action: "quota.set" },
  listAudit: reads,
  exportAudit: { action: "audit.exported" },
  verifyAudit: looked,
  createBackup: { action: "backup.started" },
  listBackups: reads,
  getBackup: reads,
  createExport: { action: "export.requested" },
  listExports: reads,
  getExport: reads,
  downloadExport: { action: "export.downloaded", given: exported, again: [409] },
  deleteExport: { action: "export.deleted", given: exported, again: [409] },
  createErasure: {
    action: "erasure.requested",
    async given({ home, world }) {
      const email = `${word()}@people.example`;
      const id = await newMember(world.parts, { orgId: home.orgId, email, role: "viewer" });
      return { body: { scope: "user", id, confirm: email } };
    },
  },
  listErasures: reads,
  getErasure: reads,
  getSystem: reads,
  getVault: reads,
  rotateVault: { action: "vault.rotated" },
  getMe: reads,
  getOpenapi: reads,
  getHealth: reads,
  getReadiness: reads,
  getMetrics: reads,
  welcome: reads,
};

/** Every endpoint of the API by its id; one that is missing fails the test. */
export const audited: Told = { ...sessions, ...sandboxes, ...definitions, ...identity, ...governance };
