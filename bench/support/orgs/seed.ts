// Fills the store of a data folder with organizations, people and sessions, before a server is started on it.
import { openServerKeys } from "../../../packages/server/src/auth/server-keys.ts";
import { makeApiKey } from "../../../packages/server/src/auth/api-key.ts";
import { systemClock } from "../../../packages/server/src/lib/clock.ts";
import { newId } from "../../../packages/server/src/lib/id.ts";
import type { AuditDraft } from "../../../packages/server/src/store/audit.ts";
import { openSqliteStore } from "../../../packages/server/src/store/sqlite/sqlite-store.ts";
import type { Store } from "../../../packages/server/src/store/store.ts";

export interface SeedOptions {
  readonly data: string;
  readonly orgs: number;
  readonly usersPerOrg: number;
  readonly sessionsPerUser: number;
  /** How many people, spread over the organizations, get a key to call with. */
  readonly callers: number;
}

/** Somebody who calls, and one of its own sessions. */
export interface Caller {
  readonly key: string;
  readonly sessionId: string;
}

/** Rows that are written at once: they share a transaction. */
const atOnce = 2_000;

export async function seed({
  data,
  orgs,
  usersPerOrg,
  sessionsPerUser,
  callers,
}: SeedOptions): Promise<Caller[]> {
  const none = {
    backupKey: null,
    adminKey: null,
    masterKey: null,
    previousMasterKey: null,
    keyPepper: null,
    auditKey: null,
  };
  const { pepper } = await openServerKeys({ dataDir: data, preset: none, required: false });
  const store = await openSqliteStore({ dataDir: data, clock: systemClock });
  const people = orgs * usersPerOrg;
  const every = Math.max(1, Math.floor(people / callers));
  const made: Caller[] = [];
  try {
    await store.system.singleTenant();
    const write = inBatches();
    for (let org = 0; org < orgs; org++) {
      const orgId = newId("org");
      await store.system.identity.createOrg({
        orgId,
        caller: orgId,
        slug: `org-${org}`,
        name: `Org ${org}`,
        audit: audit("org.created"),
      });
      for (let user = 0; user < usersPerOrg; user++) {
        const userId = newId("user");
        const first = newId("session");
        await write(store.system.identity.provision(person(orgId, userId, `${user}.${org}`)));
        for (let session = 0; session < sessionsPerUser; session++) {
          await write(createSession(store, { orgId, userId, id: session === 0 ? first : newId("session") }));
        }
        if ((org * usersPerOrg + user) % every !== 0 || made.length >= callers) continue;
        const { key, prefix, hash } = makeApiKey(pepper);
        const about = {
          id: newId("apiKey"),
          name: "bench",
          principalType: "user",
          principalId: userId,
        } as const;
        await write(
          store.org(orgId).identity.createApiKey({
            ...about,
            prefix,
            hash,
            scopes: null,
            createdBy: userId,
            expiresAt: null,
            audit: audit("api_key.created"),
          }),
        );
        made.push({ key: key.reveal(), sessionId: first });
      }
    }
    await write(null);
  } finally {
    await store.close();
  }
  return made;
}

/** Waits when enough writes are under way; null waits for the rest. */
function inBatches(): (write: Promise<unknown> | null) => Promise<void> {
  let open: Promise<unknown>[] = [];
  return async (write) => {
    if (write !== null) open.push(write);
    if (write !== null && open.length < atOnce) return;
    await Promise.all(open);
    open = [];
  };
}

function person(orgId: string, userId: string, name: string) {
  return {
    orgId,
    userId,
    name,
    email: `${name}@bench.example`,
    emailVerified: true,
    identity: null,
    role: "member",
    updateRole: false,
    audit: audit("member.provisioned"),
  };
}

function createSession(
  store: Store,
  { orgId, userId, id }: { orgId: string; userId: string; id: string },
): Promise<unknown> {
  const agent = { id: "agt_00000000000000000000000000", version: 1, name: "bench" };
  const about = { agent, owner: userId, key: null, title: "A session", metadata: {}, model: null };
  const event = {
    seq: 1,
    type: "session.created",
    at: new Date().toISOString(),
    sessionId: id,
    namespace: "",
    actor: { type: "user", id: userId },
    data: about,
    v: 1,
  };
  return store.org(orgId).createSession({
    row: {
      orgId,
      id,
      ...about,
      visibility: "private",
      status: "idle",
      currentRunId: null,
      forkedFrom: null,
      usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
    },
    events: [{ seq: 1, type: event.type, json: JSON.stringify(event) }],
  });
}

function audit(action: string): AuditDraft {
  return {
    id: newId("audit"),
    actor: { type: "system", id: "bench", name: "bench" },
    credential: null,
    action,
    target: null,
    outcome: "done",
    requestId: null,
    address: null,
    details: {},
  };
}
