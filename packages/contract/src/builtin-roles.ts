/** The roles that every organization has; each may do what the ones after it may. Others are made by its administrators. */
export const builtinRoles = ["owner", "admin", "member", "viewer"] as const;
export type BuiltinRole = (typeof builtinRoles)[number];

export function isBuiltinRole(name: string): name is BuiltinRole {
  return (builtinRoles as readonly string[]).includes(name);
}
