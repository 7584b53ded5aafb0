import type { SandboxSecret } from "@berth/client";
import { egressHost, sandboxSecretBody, sandboxSecretName } from "@berth/contract";
import { Command } from "commander";
import type { Actions } from "./context.ts";
import { CliError, exit } from "./exit.ts";

const examples = `
Examples:
  ./berth vault secret put github --host api.github.com < token.txt
  ./berth vault secret list
  ./berth vault secret remove github

An agent names it: {"sandbox": {"egress": [{"host": "api.github.com"}],
  "secrets": [{"env": "GITHUB_TOKEN", "secret": "github", "hosts": ["api.github.com"]}]}}`;

/** Secrets of the organization that its agents' sandboxes may use and never see. */
export function vaultSecretsCommand(actions: Actions): Command {
  const secrets = new Command("secret")
    .description("Show and change the secrets that your organization's sandboxes may use.")
    .addHelpText("after", examples);
  const put = secrets
    .command("put <name>")
    .description("Make or replace one; its value is read from standard input.")
    .requiredOption("--host <host...>", "where it may be sent: a name, *.name or an address");
  actions.bind<{ host: string[] }>(put, async ({ client, args, flags, io, print }) => {
    const [name = ""] = args;
    const wrong = sandboxSecretName.safeParse(name).error?.issues[0]?.message;
    if (wrong !== undefined) throw new CliError(`The name ${name} of a secret ${wrong}.`, exit.usage);
    for (const host of flags.host) {
      const { error } = egressHost.safeParse(host);
      if (error !== undefined) throw new CliError(`--host ${host} ${error.issues[0]?.message}.`, exit.usage);
    }
    const value = await readValue(io.stdin);
    const saved = await (await client()).sandboxSecrets.put(name, { value, hosts: flags.host });
    print(saved, `${saved.name} is kept. Nobody can read it again.\n`);
  });
  const list = secrets
    .command("list")
    .description("List them, with the hosts that they may be sent to. Values are never shown.");
  actions.bind(list, async ({ client, printList, signal }) => {
    const { items } = await (await client()).sandboxSecrets.list({ signal });
    printList(items, columns, "Your organization has no secrets for sandboxes.");
  });
  const remove = secrets.command("remove <name>").description("Delete one.");
  actions.bind(remove, async ({ client, args, print }) => {
    const [name = ""] = args;
    await (await client()).sandboxSecrets.delete(name);
    print({ removed: name }, `${name} is gone.\n`);
  });
  return secrets;
}

const columns = {
  NAME: ({ name }: SandboxSecret) => name,
  HOSTS: ({ hosts }: SandboxSecret) => hosts?.join(", ") ?? "cannot be read: give it again",
  WRITTEN: ({ updatedAt }: SandboxSecret) => updatedAt,
};

async function readValue(stdin: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stdin.setEncoding("utf8")) text += String(chunk);
  const value = text.trim();
  if (value === "") throw new CliError("There is no value on standard input.", exit.usage);
  if (!sandboxSecretBody.shape.value.safeParse(value).success) {
    throw new CliError(
      "The value on standard input is no secret for sandboxes: it must be 8 to 4096 visible ASCII characters in one line.",
      exit.usage,
    );
  }
  return value;
}
