import { writeFile } from "node:fs/promises";
import { Command } from "commander";
import { settingFlags, type SettingName } from "../config/schema.ts";
import { newHostKeys } from "../roles/host-keys.ts";
import type { Actions } from "./context.ts";
import { CliError } from "./exit.ts";

/** The settings that mean something to a sandbox host; --data and --config are every command's. */
const names: readonly SettingName[] = [
  "host",
  "port",
  "sandboxHostName",
  "sandboxHostTrust",
  "sandbox",
  "sandboxRootfs",
  "sandboxesPerHost",
  "sandboxEnv",
  "tlsCert",
  "tlsKey",
  "tlsClientAuth",
  "tlsClientCa",
  "tlsClientCrl",
  "drainTimeout",
  "logLevel",
  "logFormat",
];

/** Where a host's differ from a server's. */
const ownHelp: Readonly<Record<string, string>> = {
  host: "Where the host listens. Anything but loopback lets other machines in: give it TLS. Default: 127.0.0.1",
  port: "The port to listen on. Default: 7430",
  drainTimeout: "How long a host that stops waits until servers have moved its workspaces away. Default: 20s",
};

const examples = `
Examples:
  ./berth sandbox-host keys --out /etc/berth/sandbox-host
  ./berth sandbox-host --sandbox-host-name a --sandbox-host-trust /etc/berth/sandbox-host.pub.pem
  ./berth sandbox-host --host 0.0.0.0 --port 7430 --tls-cert host.pem --tls-key host.key \\
    --sandbox-host-name a --sandbox-host-trust /etc/berth/sandbox-host.pub.pem --data /var/lib/berth-sandboxes

It listens at port 7430 unless it is told. SIGTERM drains it: no new sandboxes, servers move its workspaces to other hosts, and it
ends when nothing is left or after the drain timeout; a second signal ends it at once. The servers that use it have its address in sandboxHosts and the private key in sandboxHostKeyFile.`;

export function sandboxHostCommand(actions: Actions): Command {
  const command = new Command("sandbox-host")
    .description("Make sandboxes on this machine for servers elsewhere.")
    .addHelpText("after", examples);
  command.option("--data <folder>", "the data folder of this host (BERTH_DATA); default: ./berth-data");
  for (const { name, flag, help } of settingFlags()) {
    if (!names.includes(name)) continue;
    command.option(flag, ownHelp[name] ?? help);
  }
  command.action(async () => {
    // It minds signals by itself, so this command has no context of its own.
    const { serveSandboxHost } = await import("./serve-sandbox-host.ts");
    actions.end(await serveSandboxHost(command.optsWithGlobals()));
  });
  const keys = command
    .command("keys")
    .description("Make the pair of keys between servers and sandbox hosts: NAME.key.pem and NAME.pub.pem.")
    .requiredOption("--out <name>", "where to write them, without the ending");
  actions.bind<{ readonly out: string }>(keys, async ({ flags, print }) => {
    const pair = newHostKeys();
    const [privateFile, publicFile] = [`${flags.out}.key.pem`, `${flags.out}.pub.pem`];
    await write(privateFile, pair.privateKey, 0o600);
    await write(publicFile, pair.publicKey, 0o644);
    print(
      { privateFile, publicFile },
      `${privateFile}  for servers: BERTH_SANDBOX_HOST_KEY_FILE\n${publicFile}  for sandbox hosts: --sandbox-host-trust\n`,
    );
  });
  return command;
}

/** Never over a file that is there: a key that is in use would be lost. */
async function write(file: string, text: string, mode: number): Promise<void> {
  await writeFile(file, text, { flag: "wx", mode }).catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    const why = code === "EEXIST" ? "it is there already" : code;
    throw new CliError(`${file} cannot be written: ${why}.`);
  });
}
