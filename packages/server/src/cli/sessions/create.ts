import type { Command } from "commander";
import type { Actions } from "../context.ts";
import { inOrg } from "../identity/org-option.ts";

interface CreateFlags {
  readonly agent: string;
  readonly key?: string;
  readonly title?: string;
}

export function bindSessionCreate(actions: Actions, sessions: Command): void {
  const create = inOrg(
    sessions
      .command("create")
      .description("Make a session and print its id.")
      .requiredOption("--agent <name>", "whose session it is")
      .option("--key <key>", "a name of your own for it; where there is one with it, that one is given")
      .option("--title <text>", "what lists call it"),
  );
  actions.bind<CreateFlags>(create, async ({ client, flags, print, signal }) => {
    const { agent, key, title } = flags;
    const body = { agent, ...(key !== undefined && { key }), ...(title !== undefined && { title }) };
    const session = await (await client()).sessions.create(body, { signal });
    print(session, `${session.id}\n`);
  });
}
