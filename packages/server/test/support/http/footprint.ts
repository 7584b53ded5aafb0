import type { Api } from "./api.ts";

/** Everything in an organization that a request could have changed. */
export async function footprint(api: Api): Promise<unknown> {
  const org = api.operations.store.org(api.harness.orgId);
  const [agents, sessions] = await Promise.all([
    org.listAgents({ limit: 100 }),
    org.listSessions({ limit: 100 }),
  ]);
  const mailboxes = await Promise.all(
    sessions.items.map(({ id }) => api.operations.store.session(api.harness.orgId, id).mailbox()),
  );
  return { agents: agents.items, sessions: sessions.items, mailboxes };
}
