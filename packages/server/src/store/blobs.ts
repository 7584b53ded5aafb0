/**
 * Content-addressed bytes, per organization. A put is durable (file and folder fsynced, renamed into place) before it resolves, so an
 * event may name the hash afterwards. Equal bytes are stored once per organization and never shared between two.
 */
export interface Blobs {
  put(orgId: string, data: Uint8Array): Promise<{ hash: string; size: number }>;
  /** Null when there is no such blob. The whole of it, or a range. */
  get(orgId: string, hash: string, range?: { offset: number; length: number }): Promise<Uint8Array | null>;
  has(orgId: string, hash: string): Promise<boolean>;
  delete(orgId: string, hash: string): Promise<void>;
}
