import { Command } from "commander";
import { newKeyText } from "../auth/server-keys.ts";
import type { Actions } from "./context.ts";

const examples = `
Examples:
  ./berth secrets generate > /etc/berth/secrets.env && chmod 600 /etc/berth/secrets.env

Keep them where the data folder is not: without BERTH_MASTER_KEY stored secrets cannot be opened, without BERTH_KEY_PEPPER no API
key is known, and without BERTH_AUDIT_KEY the audit log cannot be verified.`;

const names = [
  "BERTH_ADMIN_KEY",
  "BERTH_MASTER_KEY",
  "BERTH_KEY_PEPPER",
  "BERTH_AUDIT_KEY",
  "BERTH_BACKUP_KEY",
] as const;

export function secretsCommand(actions: Actions): Command {
  const secrets = new Command("secrets").description("Make the server's own keys.");
  const generate = secrets
    .command("generate")
    .description("Print new random keys as an environment file. Nothing is stored.")
    .addHelpText("after", examples);
  actions.bind(generate, async ({ print }) => {
    const made = Object.fromEntries(names.map((name) => [name, valueOf(name)]));
    const lines = Object.entries(made).map(([name, value]) => `${name}=${value}\n`);
    print(made, lines.join(""));
  });
  return secrets;
}

function valueOf(name: (typeof names)[number]): string {
  return name === "BERTH_ADMIN_KEY" ? `brt_${newKeyText()}` : newKeyText();
}
