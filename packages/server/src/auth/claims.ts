import type { OrgChoice } from "./org-choice.ts";
import type { Provisioning } from "./people.ts";

/** How what an identity provider says of a person is read. */
export interface ClaimRules extends Provisioning {
  /** Id or slug of the one organization that it speaks for. */
  readonly org: string | null;
  /** The claim that names the organization, or several. Null with `org` null: one of those that the person is a member of. */
  readonly orgClaim: string | null;
  readonly nameClaim: string;
  readonly emailClaim: string;
  readonly roleClaim: string | null;
  /** The role of each value of `roleClaim`; the first one that the person has counts. */
  readonly roles: Readonly<Record<string, string>>;
}

export type Claims = Readonly<Record<string, unknown>>;

/** What the claims say of the person itself. */
export function personOf(rules: ClaimRules, claims: Claims) {
  return {
    name: textOf(claims[rules.nameClaim]),
    email: textOf(claims[rules.emailClaim]),
    emailVerified: claims["email_verified"] === true,
    role: roleOf(rules, claims),
  };
}

/**
 * Ids of the organizations that the claims are good for, those that there are. Null when the rules name none: then the person's
 * memberships decide.
 */
export async function orgsOf(
  orgs: OrgChoice,
  { org, orgClaim }: ClaimRules,
  claims: Claims,
): Promise<readonly string[] | null> {
  if (org === null && orgClaim === null) return null;
  const named = orgClaim === null ? [org ?? ""] : textsOf(claims[orgClaim]);
  const found = await Promise.all(named.map((one) => orgs.find(one)));
  return found.flatMap((one) => one?.id ?? []);
}

/** Null: the rules map none of what the person has. */
function roleOf({ roleClaim, roles }: ClaimRules, claims: Claims): string | null {
  if (roleClaim === null) return null;
  const held = new Set(textsOf(claims[roleClaim]));
  const value = Object.keys(roles).find((one) => held.has(one));
  return value === undefined ? null : (roles[value] ?? null);
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" && value.length <= 320 ? value : null;
}

function textsOf(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value.slice(0, 100) : [value]).flatMap((one: unknown) => textOf(one) ?? []);
}
