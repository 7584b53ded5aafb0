import type { Audited, Creation } from "./identity.ts";
import type { Outcome } from "./outcome.ts";

/** What an organization's secrets are sealed under, wrapped by a master key. Times are milliseconds since 1970. */
export interface DataKeyRecord {
  readonly orgId: string;
  /** From 1. */
  readonly version: number;
  readonly wrapped: Uint8Array;
  /** Id of the master key that wraps it. */
  readonly masterId: string;
}

export type SecretKind = "model-provider" | "sandbox";

/** Which secret: a user's own, or with the owner "" the organization's. */
export interface SecretName {
  readonly owner: string;
  readonly kind: SecretKind;
  readonly name: string;
}

/** A secret as it is kept. Its id is part of what seals it. */
export interface SealedSecret extends SecretName {
  readonly id: string;
  readonly sealed: Uint8Array;
  /** The data key that it is sealed under. */
  readonly keyVersion: number;
}

/** Made part of the change that it belongs to. One that is put takes the place of that name's. */
export interface SecretChanges {
  readonly put: readonly SealedSecret[];
  readonly drop: readonly SecretName[];
  /** Who makes the change. */
  readonly by: string;
}

/** A secret of the organization that sandboxes may use, as people see it. */
export interface SandboxSecretRecord {
  readonly name: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** `OrgStore.vault`: one organization's data keys and sealed secrets. Nobody here can open them. */
export interface OrgVault {
  /** The newest data key, or the one of a version. */
  findDataKey(version?: number): Promise<DataKeyRecord | null>;
  /** Of two that add a version at once the first one's stays, and comes back. */
  addDataKey(key: Omit<DataKeyRecord, "orgId">): Promise<DataKeyRecord>;
  findSecret(name: SecretName): Promise<SealedSecret | null>;
  /** In the order of names. */
  listSandboxSecrets(): Promise<readonly SandboxSecretRecord[]>;
  /** Makes or replaces one. Rejects with `too_many_sandbox_secrets` above `limit`. */
  putSandboxSecret(
    change: Creation & { readonly secret: SealedSecret; readonly by: string; readonly limit: number },
  ): Promise<Outcome<SandboxSecretRecord>>;
  /** False when there is none. */
  removeSandboxSecret(change: Audited & { readonly name: string }): Promise<boolean>;
  /** Those that are sealed under an older data key, some at a time. */
  listOlder(filter: {
    readonly keyVersion: number;
    readonly limit: number;
    /** Id of the last one that was read. */
    readonly after?: string;
  }): Promise<readonly SealedSecret[]>;
  /** Puts what was sealed anew in the place of what is there, where that is still sealed under the old key. Returns how many. */
  reseal(
    secrets: readonly (Pick<SealedSecret, "id" | "sealed" | "keyVersion"> & {
      readonly oldKeyVersion: number;
    })[],
  ): Promise<number>;
  /** Deletes the data keys before a version that seal nothing any more. Returns how many. */
  dropDataKeys(before: number): Promise<number>;
}

/** `SystemStore.vault`: what the rotation of the master key needs of every organization. */
export interface SystemVault {
  /** Which master keys wrap data keys, and how many each. */
  countByMaster(): Promise<readonly { readonly masterId: string; readonly dataKeys: number }[]>;
  /** Data keys that this master key does not wrap, some at a time, in a stable order. */
  listForeign(filter: {
    readonly masterId: string;
    readonly limit: number;
    /** The last one that was read. */
    readonly after?: Pick<DataKeyRecord, "orgId" | "version">;
  }): Promise<readonly DataKeyRecord[]>;
  /** Wraps data keys anew where they are still wrapped as they were read. Returns how many. */
  rewrap(keys: readonly (DataKeyRecord & { readonly oldMasterId: string })[]): Promise<number>;
  /** Organizations that have data keys, in the order of ids. */
  listOrgs(filter: { readonly limit: number; readonly after?: string }): Promise<readonly string[]>;
  countSecrets(): Promise<{ readonly total: number; readonly pending: number }>;
}
