import { createHmac, randomBytes } from "node:crypto";
import { newId } from "../lib/id.ts";
import { Secret } from "../lib/secret.ts";
import type { Store } from "../store/store.ts";
import type { SealedSecret, SecretName } from "../store/vault.ts";
import type { Vault } from "./vault.ts";

/** A secret of an organization that the egress proxy puts into its sandboxes' requests. */
export interface SandboxSecretValue {
  readonly value: Secret;
  /** Where it may be sent, as rules of egress write hosts. */
  readonly hosts: readonly string[];
  /** Stands for the secret in one use of it; says nothing about it, and is the same until the secret is written again. */
  placeholder(use: string): string;
}

/** As it is sealed: with its hosts, so that nobody who changes the store sends it elsewhere. */
interface SealedText {
  readonly value: string;
  readonly hosts: readonly string[];
  /** What placeholders are made from. */
  readonly seed: string;
}

function nameOf(name: string): SecretName {
  return { owner: "", kind: "sandbox", name };
}

/** Seals a secret under a new id. */
export async function sealSandboxSecret(
  vault: Vault,
  { orgId, name, value, hosts }: { orgId: string; name: string; value: Secret; hosts: readonly string[] },
): Promise<SealedSecret> {
  const id = newId("secret");
  const plain: SealedText = { value: value.reveal(), hosts, seed: randomBytes(32).toString("base64url") };
  const sealed = await vault.seal({ orgId, table: "secrets", rowId: id, text: JSON.stringify(plain) });
  return { ...nameOf(name), id, ...sealed };
}

/** Null when there is none of that name. Rejects with `secret_unreadable`. */
export async function openSandboxSecret(
  { store, vault }: { readonly store: Pick<Store, "org">; readonly vault: Vault },
  { orgId, name }: { readonly orgId: string; readonly name: string },
): Promise<SandboxSecretValue | null> {
  const kept = await store.org(orgId).vault.findSecret(nameOf(name));
  if (kept === null) return null;
  const { id: rowId, sealed, keyVersion } = kept;
  const opened = await vault.open({ orgId, table: "secrets", rowId, sealed, keyVersion });
  const { value, hosts, seed } = JSON.parse(opened.reveal()) as SealedText;
  return {
    value: new Secret(value),
    hosts,
    placeholder: (use) =>
      `berth_secret_${createHmac("sha256", seed).update(use).digest("base64url").slice(0, 32)}`,
  };
}
