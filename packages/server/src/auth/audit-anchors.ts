import type { AnchorFile, AuditAnchor } from "../store/audit.ts";

/**
 * What this server knows of the ends of the chains, beside the store: the last entries that it sealed itself, and the anchors of
 * before in their file. A log that loses its newest entries is found by it.
 */
export class AuditAnchors {
  readonly #file: AnchorFile;
  #fresh = new Map<string, AuditAnchor>();
  #writing: Promise<void> = Promise.resolve();

  constructor(file: AnchorFile) {
    this.#file = file;
  }

  /** An organization's chain goes on to here now. */
  note(anchor: AuditAnchor): void {
    this.#fresh.set(anchor.orgId, anchor);
  }

  /** Every anchor of an organization, the one that is not yet in the file included. */
  async of(orgId: string): Promise<readonly AuditAnchor[]> {
    await this.#writing;
    const fresh = this.#fresh.get(orgId);
    return [...(await this.#file.read(orgId)), ...(fresh === undefined ? [] : [fresh])];
  }

  /** Writes what was noted since the last time. What could not be written is tried again the next time. */
  flush(): Promise<void> {
    const writing = this.#writing.then(() => this.#write());
    this.#writing = writing.catch(() => undefined);
    return writing;
  }

  async #write(): Promise<void> {
    const noted = this.#fresh;
    if (noted.size === 0) return;
    await this.#file.append([...noted.values()]);
    for (const [orgId, anchor] of noted) if (this.#fresh.get(orgId) === anchor) this.#fresh.delete(orgId);
  }
}
