import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "../../../src/lib/clock.ts";
import type { EgressDecision } from "../../../src/sandbox/egress-decision.ts";
import { createEgressJournal } from "../../../src/sandbox/host/egress-journal.ts";
import { createSandboxHost, type SandboxHostOptions } from "../../../src/sandbox/host/sandbox-host.ts";
import { createTokenVerifier } from "../../../src/sandbox/host/verify-token.ts";
import { openWorkspaceOwners } from "../../../src/sandbox/host/workspace-owners.ts";
import { createLocalProcess } from "../../../src/sandbox/local-process/local-process.ts";
import { newKeyPair, readPrivateKey, readPublicKey } from "../../../src/sandbox/protocol/keys.ts";
import { readHostAddress } from "../../../src/lib/host-address.ts";
import { createRemote, type RemoteOptions } from "../../../src/sandbox/remote/remote.ts";
import type { SandboxProvider } from "../../../src/sandbox/sandbox.ts";
import { deployment, secret, type SandboxHarness } from "../../../src/sandbox/sandbox-harness.conformance.ts";

type MakeProvider = (at: {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly onEgress: (sandboxId: string, decision: EgressDecision) => void;
}) => Promise<{ readonly provider: SandboxProvider; close(): Promise<void> }>;

const localProcess: MakeProvider = async ({ dataDir, clock }) => {
  const environment = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" };
  const provider = createLocalProcess({ dataDir, clock, environment });
  return { provider, close: () => provider.close() };
};

export interface RemoteRig extends SandboxHarness {
  readonly url: string;
  /** PEM */
  readonly keys: { readonly publicKey: string; readonly privateKey: string };
  readonly local: SandboxProvider;
  readonly sandboxHost: ReturnType<typeof createSandboxHost>;
}

export interface RigOptions {
  readonly make?: MakeProvider;
  /** Of the provider behind the host only. */
  readonly clock?: Clock;
  /** Of the host's journal of egress only. */
  readonly journalClock?: Clock;
  readonly host?: Partial<SandboxHostOptions>;
  readonly remote?: Partial<RemoteOptions>;
}

/** A remote provider that talks over HTTP to a host in this process, with any provider behind it. */
export async function createRemoteRig(options: RigOptions = {}): Promise<RemoteRig> {
  const { make = localProcess, clock = systemClock, journalClock = systemClock } = options;
  const folder = await mkdtemp(join(tmpdir(), "berth-remote-"));
  const outsideFile = join(folder, "outside.txt");
  await writeFile(outsideFile, secret);
  const egress = createEgressJournal({ clock: journalClock });
  const opened = await make({ dataDir: join(folder, "data"), clock, onEgress: egress.decided });
  const local = opened.provider;
  const keys = newKeyPair();
  const name = "host-a";
  const sandboxHost = createSandboxHost({
    provider: local,
    verify: createTokenVerifier({ keys: [await readPublicKey(keys.publicKey)], name, clock: systemClock }),
    owners: await openWorkspaceOwners(join(folder, "owners")),
    egress,
    clock: systemClock,
    name,
    version: "test",
    drainMs: 5_000,
    ...options.host,
  });
  const url = await sandboxHost.listen({ host: "127.0.0.1", port: 0 });
  const provider = createRemote({
    hosts: [readHostAddress(`${name}=${url}`)],
    tokens: await readPrivateKey(keys.privateKey),
    deployment,
    clock: systemClock,
    isolated: make !== localProcess,
    ...options.remote,
  });
  return {
    provider,
    host: name,
    url,
    keys,
    local,
    sandboxHost,
    // Sandboxes that isolate see nothing of the host but its system.
    outsideFile: make === localProcess ? outsideFile : null,
    readOutside: () => readFile(outsideFile, "utf8"),
    async close() {
      await provider.close();
      await sandboxHost.stop();
      await opened.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
