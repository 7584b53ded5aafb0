import { Secret } from "../lib/secret.ts";
import { BerthError } from "../lib/errors.ts";
import type { Store } from "../store/store.ts";
import type { DataKeyRecord } from "../store/vault.ts";
import { newKey, openBytes, sealBytes, unreadable } from "./sealing.ts";
import type { MasterKey } from "./server-keys.ts";

/** Where a secret is kept. Each table here is one that a rotation of data keys seals anew. */
export interface SecretPlace {
  readonly orgId: string;
  readonly table: "secrets";
  readonly rowId: string;
}

export interface Sealed {
  readonly sealed: Uint8Array;
  /** Version of the organization's data key. */
  readonly keyVersion: number;
}

/**
 * Seals what organizations keep secret: each secret under its organization's data key, each data key under the server's master key.
 * A sealed text is bound to organization, table and row, so that it opens nowhere else.
 */
export interface Vault {
  readonly masterKeys: readonly [MasterKey, ...MasterKey[]];
  seal(secret: SecretPlace & { readonly text: string }): Promise<Sealed>;
  /** Rejects with `secret_unreadable`. */
  open(secret: SecretPlace & Sealed): Promise<Secret>;
  /** A data key as it is used. Rejects with `secret_unreadable` or `wrong_master_key`. */
  unwrap(key: DataKeyRecord): Buffer;
  /** Another data key for an organization, which seals from now on. Returns its version. */
  addDataKey(orgId: string): Promise<number>;
  wrap(
    key: Pick<DataKeyRecord, "orgId" | "version">,
    plain: Buffer,
  ): Pick<DataKeyRecord, "wrapped" | "masterId">;
}

interface VaultOptions {
  readonly store: Pick<Store, "org">;
  /** The first one wraps; the others only unwrap. */
  readonly masterKeys: readonly [MasterKey, ...MasterKey[]];
}

/** Data keys that are kept unwrapped. */
const keptKeys = 256;

export function createVault({ store, masterKeys }: VaultOptions): Vault {
  const unwrapped = new Map<string, Buffer>();

  function keep(name: string, key: Buffer): Buffer {
    unwrapped.delete(name);
    unwrapped.set(name, key);
    const [oldest] = unwrapped.keys();
    if (unwrapped.size > keptKeys && oldest !== undefined) unwrapped.delete(oldest);
    return key;
  }

  const vault: Vault = {
    masterKeys,
    async seal({ text, ...place }) {
      const newest = await store.org(place.orgId).vault.findDataKey();
      const version = newest?.version ?? (await vault.addDataKey(place.orgId));
      const key = await dataKey(place.orgId, version);
      return { sealed: sealBytes(key, Buffer.from(text), boundTo(place)), keyVersion: version };
    },
    async open({ sealed, keyVersion, ...place }) {
      const key = await dataKey(place.orgId, keyVersion);
      return new Secret(openBytes(key, sealed, boundTo(place)).toString());
    },
    wrap({ orgId, version }, plain) {
      const [{ id, key }] = masterKeys;
      return { wrapped: sealBytes(key, plain, wrapPlace(orgId, version)), masterId: id };
    },
    unwrap({ orgId, version, wrapped, masterId }) {
      const master = masterKeys.find(({ id }) => id === masterId);
      if (master === undefined) throw wrongMasterKey();
      return openBytes(master.key, wrapped, wrapPlace(orgId, version));
    },
    async addDataKey(orgId) {
      const { vault: kept } = store.org(orgId);
      const version = ((await kept.findDataKey())?.version ?? 0) + 1;
      await kept.addDataKey({ version, ...vault.wrap({ orgId, version }, newKey()) });
      return version;
    },
  };

  async function dataKey(orgId: string, version: number): Promise<Buffer> {
    const name = `${orgId}/${version}`;
    const known = unwrapped.get(name);
    if (known !== undefined) return keep(name, known);
    const record = await store.org(orgId).vault.findDataKey(version);
    if (record === null) throw unreadable();
    return keep(name, vault.unwrap(record));
  }

  return vault;
}

/** Rejects with `wrong_master_key` when there is a data key that none of the master keys opens. */
export async function checkMasterKeys(store: Pick<Store, "system">, vault: Vault): Promise<void> {
  const known = new Set(vault.masterKeys.map(({ id }) => id));
  const wrapped = await store.system.vault.countByMaster();
  if (wrapped.every(({ masterId }) => known.has(masterId))) return;
  throw wrongMasterKey();
}

function wrongMasterKey(): BerthError {
  return new BerthError(
    "wrong_master_key",
    "Secrets in this store are sealed under another master key. Set BERTH_MASTER_KEY to the one that sealed them; to change it, give the old one as BERTH_PREVIOUS_MASTER_KEY and run `berth vault rotate`.",
  );
}

function boundTo({ orgId, table, rowId }: SecretPlace): readonly string[] {
  return ["secret", orgId, table, rowId];
}

function wrapPlace(orgId: string, version: number): readonly string[] {
  return ["data key", orgId, String(version)];
}
