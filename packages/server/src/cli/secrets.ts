import { Command } from "commander";
import { newSecrets } from "../roles/new-secrets.ts";
import type { Actions } from "./context.ts";

const examples = `
Examples:
  (umask 077; ./berth secrets generate > /etc/berth/secrets.env)

Keep them where the data folder is not: without BERTH_MASTER_KEY stored secrets cannot be opened, without BERTH_KEY_PEPPER no API
key is known, and without BERTH_AUDIT_KEY the audit log cannot be verified.`;

export function secretsCommand(actions: Actions): Command {
  const secrets = new Command("secrets")
    .description("Make the server's own keys.")
    .addHelpText("after", examples);
  const generate = secrets
    .command("generate")
    .description("Print new random keys as an environment file. Nothing is stored.")
    .addHelpText("after", examples);
  actions.bind(generate, async ({ print }) => {
    const made = newSecrets();
    const lines = Object.entries(made).map(([name, value]) => `${name}=${value}\n`);
    print(made, lines.join(""));
  });
  return secrets;
}
