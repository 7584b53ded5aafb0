import { putRoleBody, role } from "@berth/contract";
import { putRole } from "../../operations/roles.ts";
import { endpoint } from "../endpoint.ts";
import { rolePath } from "../path-params.ts";

export const putRoleRoute = endpoint({
  id: "putRole",
  method: "put",
  path: "/api/v1/roles/{roleName}",
  tag: "members",
  summary: "Makes a role of the organization's own, or changes it for all who have it",
  params: rolePath,
  body: putRoleBody,
  replies: { 200: { description: "The role.", schema: role } },
  problems: ["builtin_role", "unknown_permission"],
  handle: async ({ operations, principal, params, body, origin }) => ({
    status: 200,
    body: await putRole(operations, principal, { name: params.roleName, ...body, origin }),
  }),
});
