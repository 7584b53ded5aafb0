import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { AnchorFile, AuditAnchor } from "../audit.ts";

/** Anchors as JSON Lines in `audit-anchors.jsonl` of the data folder, which is only ever added to. */
export function createAnchorFile({ dataDir }: { readonly dataDir: string }): AnchorFile {
  return anchorFileAt(join(dataDir, "audit-anchors.jsonl"));
}

/** The same for a file by its path, for example a copy that is kept elsewhere. */
export function anchorFileAt(path: string): AnchorFile {
  return {
    async read(orgId) {
      const found: AuditAnchor[] = [];
      for await (const line of linesOf(path)) {
        // Most lines are other organizations'.
        if (!line.includes(orgId)) continue;
        const anchor = parse(line);
        if (anchor?.orgId === orgId) found.push(anchor);
      }
      return found;
    },
    async append(anchors) {
      const file = await open(path, "a", 0o600);
      try {
        await file.writeFile(anchors.map((anchor) => `${JSON.stringify(anchor)}\n`).join(""));
        await file.sync();
      } finally {
        await file.close();
      }
    },
  };
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const file = await open(path, "r").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  });
  if (file === null) return;
  await file.close();
  yield* createInterface({ input: createReadStream(path, "utf8"), crlfDelay: Infinity });
}

/** Null for a line that a crash has cut. */
function parse(line: string): AuditAnchor | null {
  try {
    const value = JSON.parse(line) as AuditAnchor;
    return typeof value.number === "number" && typeof value.mac === "string" ? value : null;
  } catch {
    return null;
  }
}
