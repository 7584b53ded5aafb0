import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Checklist } from "../checklist.ts";
import type { Exported } from "../kill-loop/settle.ts";

const blobRules = {
  there: "every blob that a log or a manifest names is stored",
  whole: "every stored blob is whole",
} as const;

/** Compares the blob store's files with what the logs name; an event commits only after its blobs. */
export function checkBlobs(checklist: Checklist, dataDir: string, logs: ReadonlyMap<string, Exported>): void {
  checklist.expectCases(blobRules.there, blobRules.whole);
  const files = blobFiles(join(dataDir, "blobs"));
  for (const [hash, path] of files) {
    const is = createHash("sha256").update(readFileSync(path)).digest("hex");
    checklist.check(blobRules.whole, is === hash, () => `${path} is damaged`);
  }
  for (const { log, entry } of logs.values()) {
    for (const event of log) {
      for (const hash of [...hashesIn(event.data), ...inManifest(event.data, files)]) {
        const story = () => `event ${event.seq} (${event.type}) names ${hash}`;
        checklist.check(blobRules.there, files.has(hash), story, entry.id);
      }
    }
  }
}

function blobFiles(root: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (!existsSync(root)) return found;
  for (const { name, parentPath } of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (/^[0-9a-f]{64}$/.test(name)) found.set(name, join(parentPath, name));
  }
  return found;
}

/** References to blobs, `{hash, size}`, wherever they are, and manifests. */
function hashesIn(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  const { hash, size, manifest } = value as { hash?: unknown; size?: unknown; manifest?: unknown };
  const own = [typeof size === "number" ? hash : null, manifest].filter((each) => typeof each === "string");
  return [...own, ...Object.values(value).flatMap((each) => hashesIn(each))];
}

function inManifest(data: object, files: ReadonlyMap<string, string>): readonly string[] {
  const hash = "manifest" in data && typeof data.manifest === "string" ? data.manifest : null;
  const path = hash === null ? undefined : files.get(hash);
  return path === undefined ? [] : hashesIn(JSON.parse(readFileSync(path, "utf8")));
}
