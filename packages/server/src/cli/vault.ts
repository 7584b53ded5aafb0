import type { VaultStatus } from "@berth/client";
import { Command } from "commander";
import type { Actions } from "./context.ts";
import { vaultSecretsCommand } from "./vault-secrets.ts";

const examples = `
To change the master key: start the server with the new one in BERTH_MASTER_KEY and the old one in BERTH_PREVIOUS_MASTER_KEY,
run ./berth vault rotate, check that nothing is pending, and start it without the old one.

Examples:
  ./berth vault status
  ./berth vault rotate
  ./berth vault rotate --data-keys               also seal every secret under a new key of its organization`;

export function vaultCommand(actions: Actions): Command {
  const vault = new Command("vault")
    .description(
      "Keep secrets for sandboxes; for the operator: show and change what secrets are sealed under.",
    )
    .addHelpText("after", examples);
  const status = vault.command("status").description("Show what is sealed, and what a rotation has left.");
  actions.bind(status, async ({ client, print, signal }) => {
    const found = await (await client()).vault.status({ signal });
    print(found, () => shown(found));
  });
  const rotate = vault
    .command("rotate")
    .description("Bring every key under the master key in use. Can be repeated.")
    .option("--data-keys", "also make new keys for every organization");
  actions.bind<{ dataKeys?: boolean }>(rotate, async ({ client, flags, print }) => {
    const done = await (await client()).vault.rotate({ dataKeys: flags.dataKeys === true });
    const { rewrapped, made, resealed, unreadable } = done;
    const lost =
      unreadable === 0 ? "" : `${unreadable} do not open and stay as they are: give those secrets again.\n`;
    const text = `${rewrapped} data keys wrapped anew, ${made} made, ${resealed} secrets sealed anew.\n${lost}`;
    print(done, () => `${text}${shown(done.status)}`);
  });
  vault.addCommand(vaultSecretsCommand(actions));
  return vault;
}

function shown({ masterKey, dataKeys, secrets }: VaultStatus): string {
  const lines = [
    `master key  ${masterKey}`,
    `data keys   ${dataKeys.total}, ${dataKeys.pending} pending`,
    `secrets     ${secrets.total}, ${secrets.pending} pending`,
  ];
  const left = dataKeys.pending + secrets.pending;
  return `${[...lines, ...(left === 0 ? [] : ["Run ./berth vault rotate to finish what is pending."])].join("\n")}\n`;
}
