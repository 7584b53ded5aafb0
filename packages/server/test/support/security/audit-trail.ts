import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AuditAnchors } from "../../../src/auth/audit-anchors.ts";
import { type AuditVerdict, verifyAudit } from "../../../src/auth/verify-audit.ts";
import type { Job } from "../../../src/jobs/runner.ts";
import { sealAuditJob } from "../../../src/jobs/seal-audit.ts";
import { newId } from "../../../src/lib/id.ts";
import type { AnchorFile, AuditDraft } from "../../../src/store/audit.ts";
import { createAnchorFile } from "../../../src/store/disk/anchor-file.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import type { Store } from "../../../src/store/store.ts";
import { createManualClock, type ManualClock } from "../manual-clock.ts";

/** An audit log in a real store, its sealer, and somebody who can write to the database file. */
export class AuditTrail {
  readonly dataDir: string;
  readonly store: Store;
  readonly clock: ManualClock;
  readonly orgId = newId("org");
  readonly key = Buffer.alloc(32, 7);
  readonly anchorFile: AnchorFile;
  anchors: AuditAnchors;

  private constructor(dataDir: string, store: Store, clock: ManualClock) {
    this.dataDir = dataDir;
    this.store = store;
    this.clock = clock;
    this.anchorFile = createAnchorFile({ dataDir });
    this.anchors = new AuditAnchors(this.anchorFile);
  }

  static async open(): Promise<AuditTrail> {
    const dataDir = await mkdtemp(join(tmpdir(), "berth-audit-"));
    const clock = createManualClock();
    return new AuditTrail(dataDir, await openSqliteStore({ dataDir, clock }), clock);
  }

  /** Another organization's log in the same store. */
  another(): AuditTrail {
    return new AuditTrail(this.dataDir, this.store, this.clock);
  }

  /** The entry `step.<number>`, not sealed. */
  append(number: number, orgId = this.orgId): Promise<void> {
    return this.store.org(orgId).audit.append(entry(`step.${number}`));
  }

  /** Entries `step.<from>` to `step.<to>`, a second apart, sealed. */
  async write(from: number, to: number, orgId = this.orgId): Promise<void> {
    for (let i = from; i <= to; i++) {
      await this.append(i, orgId);
      await this.clock.advance(1_000);
    }
    await this.seal();
  }

  sealer(): Job {
    const { anchors, key, clock } = this;
    return sealAuditJob({ audit: this.store.system.audit, anchors, key, clock });
  }

  seal(): Promise<void> {
    return this.sealer().run(new AbortController().signal);
  }

  async verify(orgId = this.orgId, key = this.key): Promise<AuditVerdict> {
    const { audit } = this.store.org(orgId);
    return verifyAudit({ key, orgId, audit, anchors: await this.anchors.of(orgId) });
  }

  /** What somebody with the file of the database can do: the triggers do not hinder them. */
  tamper(sql: string): void {
    const db = new DatabaseSync(join(this.dataDir, "berth.db"), { timeout: 5_000 });
    db.exec("DROP TRIGGER IF EXISTS audit_rows_stay; DROP TRIGGER IF EXISTS audit_rows_stand");
    db.exec(sql);
    db.close();
  }

  async close(): Promise<void> {
    await this.store.close();
    await rm(this.dataDir, { recursive: true });
  }
}

function entry(action: string): AuditDraft {
  return {
    id: newId("audit"),
    actor: { type: "user", id: "usr_1", name: "Ada" },
    credential: "api_key:key_1",
    action,
    target: { type: "agent", id: "agt_1" },
    outcome: "done",
    requestId: null,
    address: "192.0.2.1",
    details: { b: 1, a: "x" },
  };
}
