import { BerthError } from "../lib/errors.ts";
import type { EgressListener } from "../sandbox/egress-decision.ts";
import type { LocalProcessProvider } from "../sandbox/local-process/local-process.ts";
import type { SandboxProvider } from "../sandbox/sandbox.ts";
import {
  type LocalOptions,
  openBubblewrap,
  type OpenedProvider,
  openLocalProcess,
} from "./local-sandboxes.ts";
import { openRemoteSandboxes } from "./remote-sandboxes.ts";

/** The provider of sandboxes that the configuration names, or why there is none. */
export type ChosenSandboxes =
  | OpenedProvider
  | OpenedProvider<LocalProcessProvider>
  /** A sentence's end for people: why this server has no sandboxes. */
  | { readonly provider: null; readonly why: string };

export interface SandboxOptions extends LocalOptions {
  /** Of the store: whose sandboxes these are. */
  readonly deployment: string;
  /** Told what sandboxes of sandbox hosts ask for. */
  readonly egress: EgressListener;
}

/**
 * Opens what `sandbox` names. `auto`: remote hosts if any are named, else bubblewrap where it isolates, else in mode single plain
 * processes and in mode multi nothing. What was named and cannot be had is an error and never replaced by something weaker: rejects
 * with `sandbox_unavailable` or `invalid_config`.
 */
export async function openSandboxes(options: SandboxOptions): Promise<ChosenSandboxes> {
  const { config } = options.loaded;
  switch (config.sandbox) {
    case "none":
      return { provider: null, why: "this server was told to have no sandboxes" };
    case "remote":
      return await openRemoteSandboxes(config, options);
    case "local-process":
      if (config.mode === "multi") throw unisolated();
      return openLocalProcess(options);
    case "bubblewrap": {
      const opened = await openBubblewrap(options);
      const why = await problemOf(opened.provider);
      if (why === null) return opened;
      await opened.close();
      throw notHad(why);
    }
    case "auto":
      return await chooseSandboxes(options);
  }
}

async function chooseSandboxes(options: SandboxOptions): Promise<ChosenSandboxes> {
  const { config } = options.loaded;
  if (config.sandboxHosts.length > 0) return await openRemoteSandboxes(config, options);
  const isolated = await openBubblewrap(options);
  const why = await problemOf(isolated.provider);
  if (why === null) return isolated;
  await isolated.close();
  if (config.sandboxRootfs !== null) throw notHad(why);
  if (config.mode === "multi") return { provider: null, why };
  options.logger.warn({ why }, "Commands of agents are not isolated: they run as this server's own user.");
  return openLocalProcess(options, `Sandboxes by bubblewrap cannot be had: ${why}`);
}

async function problemOf(provider: SandboxProvider): Promise<string | null> {
  return (await provider.probe()).unavailable ?? null;
}

/** Who names a system for sandboxes counts on them. */
function notHad(why: string): BerthError {
  return new BerthError("sandbox_unavailable", `Sandboxes by bubblewrap cannot be had: ${why}`);
}

function unisolated(): BerthError {
  return new BerthError(
    "invalid_config",
    "The configuration does not work: sandbox local-process does not isolate, and mode multi needs that. Use bubblewrap or remote.",
  );
}
