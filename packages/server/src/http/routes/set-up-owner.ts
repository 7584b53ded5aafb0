import { member, setUpOwnerBody } from "@berth/contract";
import { setUpOwner } from "../../operations/set-up-owner.ts";
import { endpoint } from "../endpoint.ts";

export const setUpOwnerRoute = endpoint({
  id: "setUpOwner",
  method: "post",
  path: "/api/v1/setup/owner",
  tag: "login",
  summary: "Makes the first person who owns the server's own organization",
  description: "With the admin key, and once: from then on that person invites others.",
  body: setUpOwnerBody,
  replies: { 201: { description: "The owner.", schema: member } },
  problems: ["owner_exists", "email_taken", "weak_password", "too_busy"],
  handle: async ({ operations, principal, body, origin }) => ({
    status: 201,
    body: await setUpOwner(operations, principal, { body, origin }),
  }),
});
