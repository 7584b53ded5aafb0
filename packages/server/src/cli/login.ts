import { Command } from "commander";
import { parseDuration } from "../lib/duration.ts";
import type { Actions } from "./context.ts";
import { askSecrets } from "./identity/ask-secrets.ts";
import { keyByPassword, keyText } from "./identity/key-by-password.ts";
import { openConnection } from "./connection.ts";
import { inOrg } from "./identity/org-option.ts";
import { safeText } from "./terminal/safe-text.ts";

const examples = `
Examples:
  ./berth login ada@acme.example                 asks for the password
  ./berth login ada@acme.example --password-stdin < password.txt

It makes an API key for this machine and prints it: the command line keeps no logins.`;

interface LoginFlags {
  readonly passwordStdin?: boolean;
  readonly expires: string;
}

export function loginCommand(actions: Actions): Command {
  const login = inOrg(
    new Command("login")
      .argument("<email>")
      .description("Get an API key for this machine with your email and password.")
      .option("--password-stdin", "read the password from standard input")
      .option("--expires <duration>", "how long the key works", "90d"),
  ).addHelpText("after", examples);
  actions.bind<LoginFlags>(login, async ({ args, flags, io, print, signal }) => {
    const [email = ""] = args;
    const [password = ""] = await askSecrets(io, {
      questions: [{ text: "Password: ", hidden: true }],
      fromStdin: flags.passwordStdin === true,
      signal,
    });
    const server = await openConnection(flags, io.env);
    const key = await keyByPassword(server, {
      email,
      password,
      org: flags.org ?? null,
      expiresInMs: parseDuration(flags.expires),
    });
    print(key, () => safeText(keyText(key, server.url)));
  });
  return login;
}
