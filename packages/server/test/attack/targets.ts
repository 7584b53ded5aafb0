import { chown, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newKeyPair } from "../../src/sandbox/protocol/keys.ts";
import { ownFolder } from "../support/interruption/own-folder.ts";
import { startHostProcess } from "../support/sandbox/host-process.ts";
import { openApiTarget } from "./api-target.ts";
import type { Target } from "./target.ts";

export type Mode = "single" | "multi";

/** A server that makes its sandboxes itself. `rootfs`: the system that they see; default: the machine's. */
export function openBubblewrap(mode: Mode, rootfs?: string): Promise<Target> {
  const settings = {
    BERTH_SANDBOX: "bubblewrap",
    ...(rootfs !== undefined && { BERTH_SANDBOX_ROOTFS: rootfs }),
  };
  return openApiTarget({ name: `bubblewrap, ${mode}`, mode, settings });
}

/** Who has no privilege on any machine. */
const nobody = 65_534;

/** A server whose sandboxes are made by a sandbox host in a process of its own; the server itself may do nothing. */
export async function openRemote(mode: Mode): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), "berth-attack-host-"));
  const { remove } = ownFolder(folder);
  const [own, trusted] = [join(folder, "key.pem"), join(folder, "pub.pem")];
  const keys = newKeyPair();
  await writeFile(trusted, keys.publicKey);
  await writeFile(own, keys.privateKey, { mode: 0o600 });
  const isRoot = process.getuid?.() === 0;
  if (isRoot) for (const path of [folder, own]) await chown(path, nobody, nobody);
  const host = await startHostProcess([
    `--data=${join(folder, "data")}`,
    "--sandbox-host-name=attacked",
    `--sandbox-host-trust=${trusted}`,
    "--drain-timeout=10s",
  ]);
  const close = async () => {
    await host.end("SIGTERM");
    await remove();
  };
  const settings = {
    BERTH_SANDBOX: "remote",
    BERTH_SANDBOX_HOSTS: `attacked=${host.url}`,
    BERTH_SANDBOX_HOST_KEY_FILE: own,
  };
  try {
    const name = `remote, ${mode}`;
    const target = await openApiTarget({ name, mode, settings, ...(isRoot && { uid: nobody }) });
    return {
      ...target,
      async close() {
        await target.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
