import type { Store } from "../store/store.ts";
import type { Vault } from "./vault.ts";

const slice = 100;

interface Rotating {
  readonly store: Store;
  readonly vault: Vault;
  /** When it aborts, what is left waits for the next rotation. */
  readonly signal: AbortSignal;
}

/** Wraps every data key by the master key in use. Can be stopped anywhere and begun again. Returns how many it wrapped. */
export async function rewrapDataKeys({ store, vault, signal }: Rotating): Promise<number> {
  const [{ id: masterId }] = vault.masterKeys;
  let rewrapped = 0;
  while (!signal.aborted) {
    const keys = await store.system.vault.listForeign({ masterId, limit: slice });
    if (keys.length === 0) break;
    const anew = keys.map((key) => ({
      orgId: key.orgId,
      version: key.version,
      oldMasterId: key.masterId,
      ...vault.wrap(key, vault.unwrap(key)),
    }));
    rewrapped += await store.system.vault.rewrap(anew);
  }
  return rewrapped;
}

/** Gives every organization another data key. */
export async function addDataKeys({ store, vault, signal }: Rotating): Promise<number> {
  let made = 0;
  for await (const orgId of orgsWithKeys({ store, signal })) {
    await vault.addDataKey(orgId);
    made += 1;
  }
  return made;
}

/** Seals every secret under its organization's newest data key, and drops the keys that seal nothing any more. */
export async function resealSecrets({ store, vault, signal }: Rotating): Promise<number> {
  let resealed = 0;
  for await (const orgId of orgsWithKeys({ store, signal })) {
    const kept = store.org(orgId).vault;
    const keyVersion = (await kept.findDataKey())?.version ?? 0;
    while (!signal.aborted) {
      const older = await kept.listOlder({ keyVersion, limit: slice });
      if (older.length === 0) break;
      const anew = await Promise.all(
        older.map(async ({ id, sealed, keyVersion: oldKeyVersion }) => {
          const place = { orgId, table: "secrets", rowId: id } as const;
          const text = (await vault.open({ ...place, sealed, keyVersion: oldKeyVersion })).reveal();
          return { id, oldKeyVersion, ...(await vault.seal({ ...place, text })) };
        }),
      );
      resealed += await kept.reseal(anew);
    }
    if (!signal.aborted) await kept.dropDataKeys(keyVersion);
  }
  return resealed;
}

async function* orgsWithKeys({ store, signal }: Pick<Rotating, "store" | "signal">): AsyncGenerator<string> {
  let after: string | undefined;
  while (!signal.aborted) {
    const orgs = await store.system.vault.listOrgs({ limit: slice, ...(after !== undefined && { after }) });
    for (const orgId of orgs) {
      if (signal.aborted) return;
      yield orgId;
    }
    after = orgs.at(-1);
    if (after === undefined) return;
  }
}
