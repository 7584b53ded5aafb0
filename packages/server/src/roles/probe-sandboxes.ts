import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LoadedConfig } from "../config/load.ts";
import { systemClock } from "../lib/clock.ts";
import type { Capabilities } from "../sandbox/sandbox.ts";
import { silentLogger } from "../telemetry/logger.ts";
import { openBubblewrap } from "./local-sandboxes.ts";

/** What isolation this machine can give, found by making a sandbox in a temporary folder: no server is asked or disturbed. */
export async function probeSandboxes(loaded: LoadedConfig): Promise<Capabilities> {
  const data = await mkdtemp(join(tmpdir(), "berth-doctor-"));
  try {
    const config = { ...loaded.config, data };
    const options = { loaded: { ...loaded, config }, clock: systemClock, logger: silentLogger };
    const { provider, close } = await openBubblewrap(options);
    try {
      return await provider.probe();
    } finally {
      await close();
    }
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}
