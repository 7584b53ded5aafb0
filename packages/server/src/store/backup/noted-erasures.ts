import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { NotedErasure } from "../backups.ts";

const fileName = "erasures.jsonl";

const noted = z.object({
  orgId: z.string(),
  id: z.string(),
  scope: z.enum(["org", "user"]),
  target: z.string(),
  requestedBy: z.string(),
  toldTo: z.string(),
  createdAt: z.int(),
  endedAt: z.int(),
});

/** Adds a line to the list that lies beside the backups; it is on the disk when this resolves. Ids only. */
export async function noteErasure(folder: string, erasure: NotedErasure): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = await open(join(folder, fileName), "a", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(noted.parse(erasure))}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Those that ended after a time. A line that a crash cut off is left out; no file: none. */
export async function erasuresSince(folder: string, time: number): Promise<readonly NotedErasure[]> {
  const text = await readFile(join(folder, fileName), "utf8").catch((thrown: unknown) => {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return "";
    throw thrown;
  });
  const since = text.split("\n").flatMap((line) => {
    const read = noted.safeParse(parse(line));
    return read.success && read.data.endedAt > time ? [read.data] : [];
  });
  return [...new Map(since.map((erasure) => [erasure.id, erasure])).values()];
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
