import { ticket } from "@berth/contract";
import { endpoint } from "../endpoint.ts";
import { emptyBody } from "../path-params.ts";

export const createTicketRoute = endpoint({
  id: "createTicket",
  method: "post",
  path: "/api/v1/tickets",
  tag: "events",
  summary: "A ticket that opens one WebSocket in the caller's name",
  description:
    "For browsers, whose WebSockets cannot send a key: append `?ticket=` to the address. It works once, for 30 seconds.",
  body: emptyBody,
  bodyOptional: true,
  replies: { 201: { description: "The ticket.", schema: ticket } },
  problems: ["too_many_tickets"],
  handle({ context, principal }) {
    const issued = context.tickets.issue(principal);
    const expiresAt = new Date(issued.expiresAt).toISOString();
    return { status: 201, body: { ticket: issued.ticket, expiresAt } };
  },
});
