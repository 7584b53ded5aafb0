import { asBerthError } from "../lib/errors.ts";
import { filesAfter, type KeptFile } from "../session/file-changes.ts";
import type { ExportRecord } from "../store/data.ts";
import type { ExportWriter } from "../store/export-files.ts";
import type { OperationsContext } from "./context.ts";
import { foldSession } from "./fold-session.ts";
import { ownEvent } from "./own-event.ts";

const rowsAtOnce = 500;
const logPage = { limit: 1_000, maxBytes: 1 << 20 };
const blobPiece = 1 << 20;
const keptMs = 24 * 3_600_000;

interface Building {
  readonly context: OperationsContext;
  readonly record: ExportRecord;
  readonly writer: ExportWriter;
  readonly signal: AbortSignal;
  /** Rows of each part so far. */
  readonly parts: Record<string, number>;
}

/**
 * Makes the file of an export, a piece at a time. What goes wrong is written to it and not thrown. When the signal aborts it stays
 * `running`, and whoever takes it next begins anew.
 */
export async function buildExport(
  context: OperationsContext,
  record: ExportRecord,
  signal: AbortSignal,
): Promise<void> {
  const { orgId, id } = record;
  const { data } = context.store.system;
  const writer = await context.data.exportFiles.create(id);
  try {
    const building: Building = { context, record, writer, signal, parts: {} };
    await addTables(building);
    if (record.conversations) {
      await addSessions(building);
      await addBlobs(building);
    }
    await writer.add("export.json", once(JSON.stringify(aboutOf(record, building.parts), null, 2)));
    const { bytes, sha256 } = await writer.finish();
    const expiresAt = context.clock.now() + keptMs;
    const parts = building.parts;
    const kept = await data.endExport({
      orgId,
      id,
      outcome: { status: "done", parts, bytes, sha256, expiresAt },
    });
    if (!kept) await context.data.exportFiles.delete(id);
  } catch (thrown) {
    await writer.abandon();
    if (signal.aborted) return;
    context.telemetry.unexpectedError({ where: "export", error: thrown, orgId });
    await data.endExport({ orgId, id, outcome: { status: "failed", error: asBerthError(thrown).message } });
  }
}

function aboutOf(record: ExportRecord, parts: Readonly<Record<string, number>>) {
  const { id, orgId, scope, userId, conversations, requestedBy, createdAt } = record;
  return {
    id,
    orgId,
    scope,
    userId,
    conversations,
    requestedBy,
    createdAt: new Date(createdAt).toISOString(),
    parts,
    files: {
      "<part>.jsonl": "one row a line; times are milliseconds since 1970",
      "sessions/<id>/log.jsonl": "one event a line, rewound ones included",
      "sessions/<id>/files.json":
        "the files that the last run left, with what was uploaded, moved and deleted since: each path and the hash of its content",
      "blobs/<hash>": "contents, by their SHA-256",
    },
  };
}

async function addTables(building: Building): Promise<void> {
  const { context, record, writer } = building;
  const { data } = context.store.org(record.orgId);
  for (const part of data.exportParts(record)) {
    await writer.add(`${part}.jsonl`, rowsOf(building, part));
    await noteProgress(building);
  }
}

async function* rowsOf({ context, record, signal, parts }: Building, part: string): AsyncGenerator<string> {
  const { data } = context.store.org(record.orgId);
  parts[part] = 0;
  for (let after: string | null = null; ;) {
    signal.throwIfAborted();
    const { rows, next } = await data.exportRows({ part, userId: record.userId, after, limit: rowsAtOnce });
    parts[part] += rows.length;
    yield rows.map((row) => `${JSON.stringify(row)}\n`).join("");
    if (next === null) return;
    after = next;
  }
}

async function addSessions(building: Building): Promise<void> {
  const { context, record, writer, signal } = building;
  const { data } = context.store.org(record.orgId);
  const page = { part: "sessions", userId: record.userId, limit: rowsAtOnce };
  for (let after: string | null = null; ;) {
    const { rows, next } = await data.exportRows({ ...page, after });
    for (const { id } of rows) {
      signal.throwIfAborted();
      await writer.add(`sessions/${id}/log.jsonl`, eventsOf(building, String(id)));
      await addFiles(building, String(id));
      await noteProgress(building);
    }
    if (next === null) return;
    after = next;
  }
}

async function* eventsOf({ context, record, parts, signal }: Building, id: string): AsyncGenerator<string> {
  const store = context.store.session(record.orgId, id);
  for (let after = 0; ;) {
    signal.throwIfAborted();
    const read = await store.readLog({ after, ...logPage });
    const last = read?.events.at(-1);
    // At its end, or deleted meanwhile.
    if (read === null || last === undefined) return;
    parts["events"] = (parts["events"] ?? 0) + read.events.length;
    yield read.events.map((event) => `${JSON.stringify(ownEvent(event, read.record))}\n`).join("");
    after = last.seq;
  }
}

async function addFiles({ context, record, writer }: Building, id: string): Promise<void> {
  const { orgId } = record;
  if ((await context.store.org(orgId).findSession(id)) === null) return;
  const { state } = await foldSession(context, { orgId, id });
  const hash = state.manifest?.hash;
  const manifest = hash === undefined ? null : await context.blobs.get(orgId, hash);
  if (manifest === null && state.fileChanges.length === 0) return;
  const kept = manifest === null ? { version: 1, files: [] } : parseManifest(manifest);
  const files = filesAfter(kept.files, state.fileChanges);
  await writer.add(`sessions/${id}/files.json`, once(JSON.stringify({ ...kept, files })));
}

function parseManifest(bytes: Uint8Array): { readonly files: readonly KeptFile[] } {
  return JSON.parse(Buffer.from(bytes).toString("utf8")) as { readonly files: readonly KeptFile[] };
}

async function addBlobs(building: Building): Promise<void> {
  const { context, record, writer, signal, parts } = building;
  const { orgId, userId: owner } = record;
  const { data } = context.store.org(orgId);
  for (let after: string | null = null; ;) {
    const blobs = await data.listBlobs({ owner, after, limit: rowsAtOnce });
    for (const { hash, size } of blobs) {
      signal.throwIfAborted();
      if (!(await context.blobs.has(orgId, hash))) continue;
      await writer.add(`blobs/${hash}`, bytesOf(context, { orgId, hash, size }));
      parts["blobs"] = (parts["blobs"] ?? 0) + 1;
    }
    await noteProgress(building);
    const last = blobs.at(-1);
    if (last === undefined) return;
    after = last.hash;
  }
}

async function* bytesOf(
  { blobs }: OperationsContext,
  { orgId, hash, size }: { orgId: string; hash: string; size: number },
): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < size; offset += blobPiece) {
    const piece = await blobs.get(orgId, hash, { offset, length: blobPiece });
    if (piece !== null) yield piece;
  }
}

async function noteProgress({ context, record: { orgId, id }, parts }: Building): Promise<void> {
  await context.store.system.data.noteExport({ orgId, id, parts: { ...parts } });
}

async function* once<T>(content: T): AsyncGenerator<T> {
  yield content;
}
