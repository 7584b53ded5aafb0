import type { Clock } from "../../lib/clock.ts";
import { newId } from "../../lib/id.ts";
import type { SystemStore } from "../store.ts";
import { systemAudit } from "./audit-stores.ts";
import { systemData } from "./data-stores.ts";
import { systemVault } from "./org-vault.ts";
import { systemSandboxes } from "./sandbox-stores.ts";
import { systemIdentity } from "./system-identity.ts";
import { heldMailboxesOf } from "./queries/inputs.ts";
import { findOrphans } from "./queries/orphans.ts";
import { findOpenShareLink } from "./queries/share-links.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** Rows that one transaction of prune removes. */
const pruneSlice = 2_000;

export function systemStore({
  writer,
  reader,
  clock,
}: {
  writer: Writer;
  reader: Reader;
  clock: Clock;
}): SystemStore {
  return {
    identity: systemIdentity({ writer, reader, clock }),
    vault: systemVault({ writer, reader }),
    audit: systemAudit({ writer, reader }),
    limits: { setDefaults: (defaults) => writer.run("setQuotaDefaults", defaults) },
    data: systemData({ writer, reader }),
    sandboxes: systemSandboxes({ writer, reader }),
    access: {
      findShareLinkByToken: (tokenHash) =>
        reader.read((sql) => findOpenShareLink(sql, { tokenHash, now: clock.now() })),
      noteShareLinkUses: (uses) => writer.run("noteShareLinkUses", uses),
    },
    singleTenant: () =>
      writer.run("singleTenant", {
        orgId: newId("org", clock.now()),
        orgName: "default",
        userId: newId("user", clock.now()),
        userName: "owner",
      }),
    heartbeat: (workerId) => writer.run("heartbeat", workerId),
    removeWorker: (workerId) => writer.run("removeWorker", workerId),
    claim: (claim) => writer.run("claim", claim),
    release: (held) => writer.run("release", held),
    quarantine: (held) => writer.run("quarantine", held),
    liftQuarantine: (session) => writer.run("liftQuarantine", session),
    heldMailboxes: (workerId) => reader.read((sql) => heldMailboxesOf(sql, workerId)),
    orphans: orphanScan(reader, clock),
    async fireTimers({ limit, inputId }) {
      const due = await reader.read((sql) =>
        sql<{ due: number }>(
          "SELECT count(*) AS due FROM (SELECT 1 FROM timers WHERE due_at <= ? LIMIT ?)",
        ).get(clock.now(), limit),
      );
      const inputIds = Array.from({ length: due?.due ?? 0 }, inputId);
      return inputIds.length === 0 ? [] : writer.run("fireTimers", { inputIds });
    },
    async prune({ idempotencyMs }) {
      while ((await writer.run("dropDeadLogs", { limit: pruneSlice })) > 0);
      while ((await writer.run("prune", { idempotencyMs, limit: pruneSlice })) > 0);
    },
    collectBlobs: (scan) => writer.run("collectBlobs", scan),
    noteBlob: (blob) => writer.run("noteBlob", blob),
    hasBlob: ({ orgId, hash }) =>
      reader.read(
        (sql) => sql("SELECT 1 FROM blobs WHERE org_id = ? AND hash = ?").get(orgId, hash) !== undefined,
      ),
    async ping() {
      await reader.read((sql) => sql("SELECT 1").get());
      await writer.run("ping", null);
      writer.assertWrites();
    },
  };
}

/** Each scan goes on behind the last one, around the store: sessions that nobody can claim do not hide the others. */
function orphanScan(reader: Reader, clock: Clock): SystemStore["orphans"] {
  let last = 0;
  return ({ leaseMs, limit }) =>
    reader.readTogether((sql) => {
      const aliveSince = clock.monotonic() - leaseMs;
      const found = findOrphans(sql, { aliveSince, after: last, limit });
      if (found.length < limit && last > 0) {
        const rest = findOrphans(sql, { aliveSince, after: 0, limit: limit - found.length });
        found.push(...rest.filter(({ no }) => no <= last));
      }
      last = found.at(-1)?.no ?? 0;
      return found.map(({ orgId, sessionId, owner }) => ({ orgId, sessionId, owner }));
    });
}
