import { BerthApiError, BerthConnectionError, createClient } from "@berth/client";
import type { Command } from "commander";
import { openConnection } from "../connection.ts";
import type { Actions } from "../context.ts";
import { CliError } from "../exit.ts";
import { safeText } from "../terminal/safe-text.ts";
import { askSecrets } from "./ask-secrets.ts";
import { tokenOf } from "./invitation-text.ts";
import { keyByPassword, keyText } from "./key-by-password.ts";

const examples = `
Examples:
  ./berth user accept --url https://berth.example              asks for the link and a password
  printf '%s\\n%s\\n' "$TOKEN" "$PASSWORD" | ./berth user accept --token-stdin --name "Ada Lovelace"

The password has at least 12 characters. Whoever has an account already gives the password that it has.`;

const keyMs = 90 * 86_400_000;

interface AcceptFlags {
  readonly name?: string;
  readonly tokenStdin?: boolean;
  readonly key?: boolean;
}

/** Needs no key: the invitation is what one has. */
export function bindAccept(actions: Actions, user: Command): void {
  const accept = user
    .command("accept")
    .description("Take an invitation, or choose a new password by one, and get a key for this machine.")
    .option("--name <name>", "your name, for a new account")
    .option("--token-stdin", "read the link or token, then the password, as two lines of standard input")
    .option("--no-key", "make no key for this machine")
    .addHelpText("after", examples);
  actions.bind<AcceptFlags>(accept, async ({ flags, io, print, signal }) => {
    const [link = "", password = ""] = await askSecrets(io, {
      questions: [
        { text: "The link or token of the invitation: ", hidden: true },
        { text: "A password of at least 12 characters: ", hidden: true },
      ],
      fromStdin: flags.tokenStdin === true,
      signal,
    });
    const server = await openConnection(flags, io.env);
    const client = createClient({ baseUrl: server.url, fetch: server.fetch, retries: 2 });
    const accepted = await client.invitations.accept(
      { token: tokenOf(link), password, ...(flags.name !== undefined && { name: flags.name }) },
      { signal },
    );
    const { email, org } = accepted;
    const joined = `${email} is in ${org.name} (${org.slug}) now.\n`;
    if (flags.key === false) return print(accepted, safeText(joined));
    const key = await keyByPassword(server, { email, password, org: org.id, expiresInMs: keyMs }).catch(
      (thrown: unknown) => {
        // Taken is taken: what goes wrong afterwards must not look as if it were not.
        if (!(thrown instanceof BerthApiError || thrown instanceof BerthConnectionError)) throw thrown;
        throw new CliError(
          `${joined.trim()} A key for this machine could not be made: ${thrown.message} Ask an administrator for one.`,
        );
      },
    );
    print({ ...accepted, key }, () => safeText(`${joined}\n${keyText(key, server.url)}`));
  });
}
