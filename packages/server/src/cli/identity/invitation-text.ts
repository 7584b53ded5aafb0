import type { CreateInvitationReply } from "@berth/client";
import { dateOf } from "./date-text.ts";

/** What to pass on to somebody who is invited: the token is after the `#`, so that no server on the way sees it. */
export function howToAccept(invitation: CreateInvitationReply, url: string): string {
  const what = invitation.kind === "join" ? "join" : "choose a new password";
  return [
    `Pass this on to ${invitation.email}, who can ${what} with it until ${dateOf(invitation.expiresAt)} UTC. It is not shown again.`,
    `  ${url}/invite#${invitation.token}`,
    "They take it with:",
    `  ./berth user accept --url ${url}        and give the link when it asks`,
    "",
  ].join("\n");
}

/** The token of what a person gives: the link, or the token alone. */
export function tokenOf(text: string): string {
  const trimmed = text.trim();
  return trimmed.slice(trimmed.lastIndexOf("#") + 1);
}
