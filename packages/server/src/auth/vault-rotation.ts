import type { Store } from "../store/store.ts";
import type { SealedSecret } from "../store/vault.ts";
import type { Vault } from "./vault.ts";

const slice = 100;

interface Rotating {
  readonly store: Store;
  readonly vault: Vault;
  /** When it aborts, what is left waits for the next rotation. */
  readonly signal: AbortSignal;
}

/** What was brought under another key, and what nobody can open any more: that stays as it is. */
export interface Rotated {
  readonly done: number;
  readonly unreadable: number;
}

/** Wraps every data key by the master key in use. Can be stopped anywhere and begun again. */
export async function rewrapDataKeys({ store, vault, signal }: Rotating): Promise<Rotated> {
  const [{ id: masterId }] = vault.masterKeys;
  let [done, unreadable] = [0, 0];
  let after: { readonly orgId: string; readonly version: number } | undefined;
  while (!signal.aborted) {
    const filter = { masterId, limit: slice, ...(after !== undefined && { after }) };
    const keys = await store.system.vault.listForeign(filter);
    after = keys.at(-1);
    if (after === undefined) break;
    const anew = keys.flatMap((key) => {
      const plain = orNull(() => vault.unwrap(key));
      if (plain === null) return [];
      const { orgId, version, masterId: oldMasterId } = key;
      return [{ orgId, version, oldMasterId, ...vault.wrap(key, plain) }];
    });
    unreadable += keys.length - anew.length;
    done += await store.system.vault.rewrap(anew);
  }
  return { done, unreadable };
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
export async function resealSecrets({ store, vault, signal }: Rotating): Promise<Rotated> {
  let [done, unreadable] = [0, 0];
  for await (const orgId of orgsWithKeys({ store, signal })) {
    const kept = store.org(orgId).vault;
    const keyVersion = (await kept.findDataKey())?.version ?? 0;
    let after: string | undefined;
    while (!signal.aborted) {
      const older = await kept.listOlder({ keyVersion, limit: slice, ...(after !== undefined && { after }) });
      after = older.at(-1)?.id;
      if (after === undefined) break;
      const anew = (await Promise.all(older.map((secret) => reseal(vault, orgId, secret)))).flat();
      unreadable += older.length - anew.length;
      done += await kept.reseal(anew);
    }
    if (!signal.aborted) await kept.dropDataKeys(keyVersion);
  }
  return { done, unreadable };
}

/** Nothing for one that does not open. */
async function reseal(vault: Vault, orgId: string, { id, sealed, keyVersion: oldKeyVersion }: SealedSecret) {
  const place = { orgId, table: "secrets", rowId: id } as const;
  const opened = await vault.open({ ...place, sealed, keyVersion: oldKeyVersion }).catch(() => null);
  if (opened === null) return [];
  return [{ id, oldKeyVersion, ...(await vault.seal({ ...place, text: opened.reveal() })) }];
}

/** What cannot be opened is counted, and told by whoever needs it. */
function orNull<T>(open: () => T): T | null {
  try {
    return open();
  } catch {
    return null;
  }
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
