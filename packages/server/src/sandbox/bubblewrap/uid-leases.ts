import { randomInt } from "node:crypto";
import { mkdir, readdir, rm, rmdir, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { BerthError } from "../../lib/errors.ts";
import { errnoOf } from "../files/file-errors.ts";

/** Users of the host that nobody else has: one for each sandbox that is alive. */
const leasedUids = { first: 200_000, last: 265_535 } as const;

/** Of what dies with this machine's boot; for root only. */
export const runFolder = "/run/berth";

/**
 * For all Berths of this machine together, whatever their data folders are. Begins anew with every boot, because nothing that
 * had a user lives on then.
 */
const place = `${runFolder}/uids`;

const folder = () => `${place}/${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}`;

/** Makes the folder of leases, in a `runFolder` that is there, and removes those of earlier boots. */
export async function prepareLeases(): Promise<void> {
  await mkdir(folder(), { recursive: true, mode: 0o700 });
  const current = folder().slice(place.length + 1);
  for (const name of await readdir(place)) {
    if (name !== current) await rm(`${place}/${name}`, { recursive: true, force: true });
  }
}

/**
 * Takes a user for a sandbox, the preferred one if it is free: then a workspace's files need not change hands. The lease holds
 * until it is given back, past the death of this server.
 */
export async function leaseUid(preferred: number | null, sandboxId: string): Promise<number> {
  if (preferred !== null && isLeasable(preferred) && (await take(preferred, sandboxId))) return preferred;
  for (let tries = 0; tries < 1_000; tries++) {
    const uid = randomInt(leasedUids.first, leasedUids.last + 1);
    if (await take(uid, sandboxId)) return uid;
  }
  throw new BerthError("sandbox_capacity", "No user of this machine is free for another sandbox.", {
    retryable: true,
  });
}

/** Idempotent. Only the sandbox that has it gives it back. */
export async function returnUid(uid: number, sandboxId: string): Promise<void> {
  const file = `${folder()}/${uid}`;
  const holder = await readdir(file).catch(() => [] as string[]);
  if (!holder.includes(sandboxId)) return;
  await rm(`${file}/${sandboxId}`, { force: true });
  await rmdir(file).catch((thrown: unknown) => {
    if (errnoOf(thrown) !== "ENOENT" && errnoOf(thrown) !== "ENOTEMPTY") throw thrown;
  });
}

export function isLeasable(uid: number): boolean {
  return uid >= leasedUids.first && uid <= leasedUids.last;
}

async function take(uid: number, sandboxId: string): Promise<boolean> {
  try {
    await mkdir(`${folder()}/${uid}`, { mode: 0o700 });
  } catch (thrown) {
    if (errnoOf(thrown) === "EEXIST") return false;
    throw thrown;
  }
  await writeFile(`${folder()}/${uid}/${sandboxId}`, "");
  return true;
}
