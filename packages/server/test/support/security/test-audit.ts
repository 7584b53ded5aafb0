import { AuditAnchors } from "../../../src/auth/audit-anchors.ts";
import type { AuditParts } from "../../../src/operations/context.ts";
import { createRefusals } from "../../../src/operations/refusals.ts";
import { createAnchorFile } from "../../../src/store/disk/anchor-file.ts";
import type { Harness } from "../runtime/harness.ts";

/** What the audit log needs beside the store, in the harness's own folder. */
export function testAudit({ context, dataDir }: Harness): AuditParts {
  return {
    key: Buffer.alloc(32, 3),
    anchors: new AuditAnchors(createAnchorFile({ dataDir })),
    refusals: createRefusals(context),
  };
}
