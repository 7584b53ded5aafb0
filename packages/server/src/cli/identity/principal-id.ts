import type { BerthClient } from "@berth/client";
import { findServiceAccount } from "../service-account.ts";
import { findPerson } from "./find-person.ts";

/** The id of a member, by id or email, or of a service account, by id or name. */
export async function principalId(client: BerthClient, who: string): Promise<string> {
  if (who.includes("@")) return (await findPerson(client, who)).id;
  return who.includes("_") ? who : (await findServiceAccount(client, who)).id;
}
