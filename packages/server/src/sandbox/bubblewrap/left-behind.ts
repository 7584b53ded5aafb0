import { readdir, rm, rmdir, stat, unlink } from "node:fs/promises";
import { BerthError } from "../../lib/errors.ts";
import { errnoOf } from "../files/file-errors.ts";
import type { SandboxInfo, SandboxList, Swept } from "../sandbox.ts";
import type { Surroundings } from "./life.ts";
import { infoOfRecord, refuseStale } from "./lives.ts";
import { isRunning } from "./process-identity.ts";
import { readRecord, readRecords, recordNames, type SandboxRecord } from "./record.ts";
import { removeRemains } from "./remains.ts";

/** A folder without a record may be somebody's who is just beginning. */
const youngMs = 60_000;

/** What is known of the sandboxes of this machine that are not in this server's memory. */
export interface Left {
  readonly surroundings: Surroundings;
  /** Whether this server is making, has or is ending it. */
  readonly isOurs: (id: string) => boolean;
  readonly inTurn: <T>(id: string, call: () => Promise<T>) => Promise<T>;
}

/** One that another living server has, or that this one is making; null otherwise. */
export async function findLeft({ surroundings, isOurs }: Left, id: string): Promise<SandboxInfo | null> {
  const record = await readRecord(`${surroundings.host.places.sandboxes}/${id}`);
  if (record === null) return null;
  if (record === "unreadable") throw unreadable();
  return isAlive(surroundings, isOurs, record) ? infoOfRecord(record) : null;
}

export async function listLeft({ surroundings, isOurs }: Left, deployment: string): Promise<SandboxList> {
  const { items, unreadable: bad } = await readRecords(surroundings.host.places.sandboxes);
  const mine = items.filter(
    (record) => record.deployment === deployment && isAlive(surroundings, isOurs, record),
  );
  return { items: mine.map((record) => infoOfRecord(record)), unreadable: bad };
}

/** With the server its sandboxes die too, so a dead server's are dead; a living one's are its own business. */
function isAlive({ server }: Surroundings, isOurs: Left["isOurs"], record: SandboxRecord): boolean {
  if (record.server.pid === server.pid && record.server.start === server.start) return isOurs(record.id);
  return isRunning(record.server);
}

/** Ends what a record names. Only in turn. */
export async function destroyLeft(
  { surroundings }: Left,
  id: string,
  incarnation: string | undefined,
): Promise<"destroyed" | "absent"> {
  const record = await readRecord(`${surroundings.host.places.sandboxes}/${id}`);
  if (record === null) return "absent";
  if (record === "unreadable") throw unreadable();
  refuseStale(record, incarnation);
  await removeRemains(surroundings, record, { thorough: true });
  return "destroyed";
}

/** Removes what is of this deployment and whose server is dead, and nothing else. `shared`: another deployment has the data folder too. */
export async function sweepLeft(left: Left, deployment: string): Promise<Swept & { shared: boolean }> {
  const { surroundings, isOurs, inTurn } = left;
  const { sandboxes } = surroundings.host.places;
  const { items, unreadable: bad, empty, ended } = await readRecords(sandboxes);
  for (const name of ended) await rm(`${sandboxes}/${name}`, { recursive: true, force: true });
  let removed = 0;
  let foreign = bad;
  for (const record of items) {
    if (record.deployment !== deployment) foreign++;
    else if (!isAlive(surroundings, isOurs, record)) {
      const done = await inTurn(record.id, async () => {
        if (isAlive(surroundings, isOurs, record)) return false;
        await removeRemains(surroundings, record, { thorough: true });
        return true;
      }).catch((error: unknown) => {
        surroundings.warn(
          { sandbox: record.id, error },
          "what a sandbox left could not be removed; the next sweep tries again",
        );
        return false;
      });
      if (done) removed++;
    }
  }
  for (const name of empty) if (!isOurs(name)) removed += (await removeEmpty(surroundings, name)) ? 1 : 0;
  return { removed, foreign, shared: foreign > bad };
}

/** Nothing was made yet for a folder without a record. */
async function removeEmpty({ host, clock }: Surroundings, name: string): Promise<boolean> {
  const folder = `${host.places.sandboxes}/${name}`;
  try {
    const names = await readdir(folder);
    if (clock.now() - (await stat(folder)).mtimeMs < youngMs) return false;
    if (names.some((inside) => !recordNames.includes(inside))) return false;
    for (const inside of names) await unlink(`${folder}/${inside}`);
    await rmdir(folder);
    return true;
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT" || errnoOf(thrown) === "ENOTDIR") return false;
    throw thrown;
  }
}

function unreadable(): BerthError {
  return new BerthError(
    "sandbox_host_error",
    "The record of this sandbox cannot be read, so it is left alone; look at it on the machine.",
  );
}
