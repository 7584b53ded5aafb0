import type { Command } from "commander";
import type { Actions } from "../context.ts";
import { safeText } from "../terminal/safe-text.ts";
import { askSecrets } from "./ask-secrets.ts";

const examples = `
Examples:
  ./berth user create-owner ada@acme.example --name "Ada Lovelace"       asks for a password
  ./berth user create-owner ada@acme.example --name Ada --password-stdin < password.txt

With the admin key, and once: from then on the owner invites others. The password has at least 12 characters.`;

interface OwnerFlags {
  readonly name: string;
  readonly passwordStdin?: boolean;
}

/** The first person who may log in to a new server. */
export function bindCreateOwner(actions: Actions, user: Command): void {
  const create = user
    .command("create-owner <email>")
    .description("Make the first person who owns the server's own organization.")
    .requiredOption("--name <name>", "the person's name")
    .option("--password-stdin", "read the password from standard input")
    .addHelpText("after", examples);
  actions.bind<OwnerFlags>(create, async ({ client, args, flags, io, print, signal }) => {
    const berth = await client();
    const [password = ""] = await askSecrets(io, {
      questions: [{ text: "A password of at least 12 characters: ", hidden: true }],
      fromStdin: flags.passwordStdin === true,
      signal,
    });
    const owner = await berth.logins.setUpOwner({ email: args[0] ?? "", name: flags.name, password });
    print(owner, safeText(`${owner.name} (${owner.id}) owns the organization now and can log in.\n`));
  });
}
