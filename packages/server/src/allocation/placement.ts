import { BerthError } from "../lib/errors.ts";
import type { SandboxHostInfo, SandboxLimits, SandboxProvider } from "../sandbox/sandbox.ts";

/** Whether a sandbox of this size has room there now. */
export function hasRoom(host: SandboxHostInfo, { memoryBytes }: Pick<SandboxLimits, "memoryBytes">): boolean {
  return host.healthy && !host.draining && host.freeSlots > 0 && host.freeMemoryBytes >= memoryBytes;
}

/** Where new files, or a sandbox that is nobody's yet, go: of the hosts that take any the one with the most memory left. Null: none does. */
export async function chooseHost(provider: SandboxProvider): Promise<SandboxHostInfo | null> {
  return bestOf((await provider.hosts()).filter(({ healthy, draining }) => healthy && !draining));
}

export function bestOf(hosts: readonly SandboxHostInfo[]): SandboxHostInfo | null {
  return bestFirst(hosts)[0] ?? null;
}

/** The one with the most memory left first. */
export function bestFirst(hosts: readonly SandboxHostInfo[]): readonly SandboxHostInfo[] {
  return hosts.toSorted((a, b) => score(b) - score(a));
}

function score({ freeMemoryBytes, freeSlots }: SandboxHostInfo): number {
  return freeSlots > 0 ? freeMemoryBytes : -1;
}

export function noHost(): BerthError {
  return new BerthError("sandbox_capacity", "No sandbox host takes new sandboxes now; try again later.", {
    retryable: true,
    details: { retryAfterMs: 5_000 },
  });
}
