/** Runs in a thread of its own, which search.ts ends when it takes too long: patterns come from users and models. */
import { parentPort, workerData } from "node:worker_threads";
import picomatch from "picomatch";
import { asBerthError, BerthError } from "../../lib/errors.ts";
import type { GrepMatch } from "../sandbox.ts";
import { withFolder } from "./folder.ts";
import { readFileIn } from "./read-file.ts";
import type { SearchJob, SearchReport } from "./search.ts";
import { type TreeEntry, walkTree } from "./walk-tree.ts";

const maxSearchedBytes = 4 * 1024 * 1024;
const maxLineShown = 500;
/** Bytes at a file's start in which a NUL makes it binary, as grep and git do. */
const binaryProbe = 8_000;
const skipped = new Set([".git", "node_modules"]);

function report(message: SearchReport): void {
  parentPort?.postMessage(message);
}

async function run(job: SearchJob): Promise<void> {
  const path = job.path.join("/");
  const named = `${path}/${job.kind === "glob" ? job.pattern : (job.glob ?? "")}`;
  const into = (name: string) => !skipped.has(name) || named.includes(name);
  const visit = job.kind === "glob" ? globVisitor(job, path) : grepVisitor(job, path);
  let room = job.limit;
  let truncated = false;
  const onCut = () => {
    truncated = true;
  };
  const place = { root: job.root, ...(job.base && { base: job.base }), names: job.path };
  await withFolder(place, async (folder) => {
    for await (const entry of walkTree({ folder, path, depth: Number.POSITIVE_INFINITY, into, onCut })) {
      if (!entry.entry.isFile()) continue;
      const items = await visit(entry);
      if (items.length > 0) report({ type: "items", items: items.slice(0, room) });
      if (items.length > room) return onCut();
      room -= items.length;
      if (performance.timeOrigin + performance.now() > job.endsAt) return onCut();
    }
  });
  report({ type: "done", truncated });
}

/** Patterns are relative to the folder that is searched. */
function inside(entry: TreeEntry, path: string): string {
  return path === "" ? entry.path : entry.path.slice(path.length + 1);
}

function globVisitor(job: SearchJob, path: string): (entry: TreeEntry) => Promise<readonly string[]> {
  const matches = picomatch(job.pattern, { dot: true });
  return async (entry) => (matches(inside(entry, path)) ? [entry.path] : []);
}

function grepVisitor(job: SearchJob, path: string): (entry: TreeEntry) => Promise<readonly GrepMatch[]> {
  const pattern = compile(job);
  const wanted =
    job.glob === undefined
      ? () => true
      : picomatch(job.glob, { dot: true, basename: !job.glob.includes("/") });
  return async (entry) => {
    if (!wanted(inside(entry, path))) return [];
    const bytes = await readFileIn(entry.parent, entry.name, {
      range: {},
      maxBytes: maxSearchedBytes,
    }).catch(() => null);
    if (bytes === null || bytes.subarray(0, binaryProbe).includes(0)) return [];
    const matches: GrepMatch[] = [];
    let line = 0;
    for (const text of new TextDecoder().decode(bytes).split("\n")) {
      line++;
      if (pattern.test(text)) matches.push({ path: entry.path, line, text: text.slice(0, maxLineShown) });
      if (matches.length > job.limit) break;
    }
    return matches;
  };
}

function compile(job: SearchJob): RegExp {
  try {
    return new RegExp(job.pattern, job.ignoreCase ? "i" : "");
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new BerthError("pattern_invalid", `The pattern is not a regular expression: ${why}`);
  }
}

try {
  await run(workerData as SearchJob);
} catch (thrown) {
  const error = asBerthError(thrown);
  report({ type: "failed", code: error.code, message: error.message });
}
