import type { BerthClient, Member } from "@berth/client";
import { CliError } from "../exit.ts";

/** A member by id or email. */
export async function findPerson(client: BerthClient, idOrEmail: string): Promise<Member> {
  if (!idOrEmail.includes("@")) return client.members.get(idOrEmail);
  const { items } = await client.members.list({ email: idOrEmail });
  const [found] = items;
  if (found === undefined) throw new CliError(`There is no member ${idOrEmail}.`);
  return found;
}
