import type { CertificateName, Standing } from "../../../identity.ts";
import type { Connection } from "../../connection.ts";

type Sql = Connection["sql"];
type StandingRow = Omit<Standing, "orgSettings" | "rolePermissions" | "active"> & {
  readonly orgSettings: string;
  readonly rolePermissions: string | null;
  readonly active: number;
};

const org = `o.id AS orgId, o.status AS orgStatus, o.settings AS orgSettings, r.permissions AS rolePermissions`;

const member = `SELECT ${org}, 'user' AS type, a.id, a.name, m.role,
    (o.status = 'active' AND m.status = 'active' AND a.status = 'active') AS active
  FROM members m JOIN accounts a ON a.id = m.user_id JOIN orgs o ON o.id = m.org_id
    LEFT JOIN roles r ON r.org_id = m.org_id AND r.name = m.role
  WHERE m.org_id = ? AND m.user_id = ?`;

const service = `SELECT ${org}, 'service' AS type, s.id, s.name, s.role,
    (o.status = 'active' AND s.status = 'active') AS active
  FROM service_accounts s JOIN orgs o ON o.id = s.org_id LEFT JOIN roles r ON r.org_id = s.org_id AND r.name = s.role
  WHERE s.org_id = ? AND s.id = ?`;

/** Who somebody is in an organization, in one statement. */
export function findStanding(
  sql: Sql,
  { orgId, type, id }: { orgId: string; type: "user" | "service"; id: string },
): Standing | null {
  const row = sql<StandingRow>(type === "user" ? member : service).get(orgId, id);
  if (row === undefined) return null;
  const { orgSettings, rolePermissions, active, ...rest } = row;
  return {
    ...rest,
    orgSettings: JSON.parse(orgSettings) as Standing["orgSettings"],
    rolePermissions: rolePermissions === null ? null : (JSON.parse(rolePermissions) as string[]),
    active: active === 1,
  };
}

/** The one service account that a certificate stands for; null when its names belong to several. */
export function findCertified(
  sql: Sql,
  names: readonly CertificateName[],
): { orgId: string; id: string } | null {
  const found = names.flatMap(({ kind, value }) => {
    const row = sql<{ orgId: string; id: string }>(
      "SELECT org_id AS orgId, service_account_id AS id FROM certificates WHERE kind = ? AND value = ?",
    ).get(kind, value);
    return row === undefined ? [] : [row];
  });
  const [first, ...others] = found;
  if (first === undefined) return null;
  return others.every(({ orgId, id }) => orgId === first.orgId && id === first.id) ? first : null;
}
