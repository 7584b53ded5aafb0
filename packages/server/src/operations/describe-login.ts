import type { CurrentLogin } from "@berth/contract";
import type { LoginRecord, SystemIdentity } from "../store/identity.ts";
import { timeText } from "./views.ts";

/** Who is logged in now, where, and where else the person may go. */
export async function describeLogin(
  identity: Pick<SystemIdentity, "findAccount" | "listMemberships">,
  login: LoginRecord,
): Promise<CurrentLogin> {
  const [account, memberships] = await Promise.all([
    identity.findAccount(login.userId),
    identity.listMemberships(login.userId),
  ]);
  const orgs = memberships.map(({ org, role }) => ({ id: org.id, slug: org.slug, name: org.name, role }));
  const here = orgs.find(({ id }) => id === login.orgId);
  return {
    id: login.id,
    user: { id: login.userId, name: account?.name ?? "", email: account?.email ?? null },
    org: { id: login.orgId, slug: here?.slug ?? "", name: here?.name ?? "" },
    orgs,
    expiresAt: timeText(login.expiresAt),
  };
}
