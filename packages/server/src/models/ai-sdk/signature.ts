import type { SharedV4ProviderMetadata } from "@ai-sdk/provider";

const mark = "ai-sdk:";

/** A provider's metadata of a block as a signature; it names the provider inside. Undefined when there is none. */
export function metadataSignature(metadata: SharedV4ProviderMetadata | undefined): string | undefined {
  if (metadata === undefined || Object.keys(metadata).length === 0) return undefined;
  return mark + JSON.stringify(metadata);
}

/** Null for none, and for another adapter's. */
export function readSignature(signature: string | undefined): SharedV4ProviderMetadata | null {
  if (signature === undefined || !signature.startsWith(mark)) return null;
  return JSON.parse(signature.slice(mark.length)) as SharedV4ProviderMetadata;
}
