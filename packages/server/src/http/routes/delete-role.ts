import { deleteRole } from "../../operations/roles.ts";
import { endpoint } from "../endpoint.ts";
import { rolePath } from "../path-params.ts";

export const deleteRoleRoute = endpoint({
  id: "deleteRole",
  method: "delete",
  path: "/api/v1/roles/{roleName}",
  tag: "members",
  summary: "Deletes a role that nobody has",
  params: rolePath,
  replies: { 204: { description: "It is gone." } },
  problems: ["role_not_found", "role_in_use", "builtin_role"],
  async handle({ operations, principal, params, origin }) {
    await deleteRole(operations, principal, { name: params.roleName, origin });
    return { status: 204, body: null };
  },
});
