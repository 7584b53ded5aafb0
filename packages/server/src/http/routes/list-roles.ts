import { roleList } from "@berth/contract";
import { listRoles } from "../../operations/roles.ts";
import { endpoint } from "../endpoint.ts";

export const listRolesRoute = endpoint({
  id: "listRoles",
  method: "get",
  path: "/api/v1/roles",
  tag: "members",
  summary: "The roles that there are: built-in ones, then the organization's own",
  replies: { 200: { description: "All of them.", schema: roleList } },
  handle: async ({ operations, principal }) => ({
    status: 200,
    body: { items: await listRoles(operations, principal) },
  }),
});
