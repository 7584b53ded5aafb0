import { readFile } from "node:fs/promises";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../lib/clock.ts";
import { BerthError } from "../lib/errors.ts";
import type { EgressListener } from "../sandbox/egress-decision.ts";
import { readPrivateKey } from "../sandbox/protocol/keys.ts";
import { createRemote } from "../sandbox/remote/remote.ts";
import type { OpenedProvider } from "./local-sandboxes.ts";
import type { Logger } from "../telemetry/logger.ts";

interface RemoteParts {
  readonly clock: Clock;
  readonly deployment: string;
  readonly egress: EgressListener;
  readonly logger: Logger;
}

/** Sandboxes on other machines. Rejects with `invalid_config` or `key_invalid`, which name the file. */
export async function openRemoteSandboxes(
  config: Config,
  { clock, deployment, egress, logger }: RemoteParts,
): Promise<OpenedProvider> {
  const {
    sandboxHosts: hosts,
    sandboxHostKeyFile,
    sandboxHostCa,
    sandboxHostCert,
    sandboxHostCertKey,
  } = config;
  if (hosts.length === 0) throw invalid("sandbox is remote, and sandboxHosts names no host");
  const key = await readSettingFile("sandboxHostKeyFile", sandboxHostKeyFile);
  if (key === null) {
    throw invalid(
      "sandboxHosts needs sandboxHostKeyFile: make a pair of keys with ./berth sandbox-host keys",
    );
  }
  if ((sandboxHostCert === null) !== (sandboxHostCertKey === null)) {
    throw invalid("sandboxHostCert and sandboxHostCertKey are needed together");
  }
  const [ca, cert, certKey] = await Promise.all([
    readSettingFile("sandboxHostCa", sandboxHostCa),
    readSettingFile("sandboxHostCert", sandboxHostCert),
    readSettingFile("sandboxHostCertKey", sandboxHostCertKey),
  ]);
  const provider = createRemote({
    hosts,
    tokens: await readPrivateKey(key),
    deployment,
    clock,
    egress,
    isolated: config.mode === "multi",
    tls: {
      ...(ca !== null && { ca }),
      ...(cert !== null && { cert }),
      ...(certKey !== null && { key: certKey }),
    },
  });
  // Hosts that serve several servers have to be told it.
  logger.info({ deployment: deployment.replace(/-\d+$/, "") }, "sandboxes are made by sandbox hosts");
  return { provider, close: () => provider.close() };
}

/** The text of a file that a setting names; null when it names none. Rejects with `invalid_config`. */
export async function readSettingFile(setting: string, path: string | null): Promise<string | null> {
  if (path === null) return null;
  return await readFile(path, "utf8").catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw invalid(`${setting} names ${path}, which cannot be read (${code})`);
  });
}

function invalid(what: string): BerthError {
  return new BerthError("invalid_config", `The configuration does not work: ${what}.`);
}
