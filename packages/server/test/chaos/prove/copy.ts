import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../repository.ts";
import type { Edit } from "./without-start-mark.ts";

const workspaces = ["contract", "client", "server"] as const;

/** Copies the packages into a folder, with links to what they depend on, and edits the copy. Throws when an edit does not fit. */
export function editedCopy(folder: string, edits: readonly Edit[]): string {
  for (const name of workspaces) copyPackage(folder, name);
  linkModules(join(repository, "node_modules"), join(folder, "node_modules"), folder);
  for (const edit of edits) apply(folder, edit);
  return folder;
}

function copyPackage(folder: string, name: string): void {
  const from = join(repository, "packages", name);
  const to = join(folder, "packages", name);
  mkdirSync(to, { recursive: true });
  for (const part of ["src", "package.json"]) cpSync(join(from, part), join(to, part), { recursive: true });
  if (readdirSync(from).includes("node_modules"))
    symlinkSync(join(from, "node_modules"), join(to, "node_modules"));
}

/** The copy's own packages in place of those of the repository, and links for all the others. */
function linkModules(from: string, to: string, folder: string): void {
  mkdirSync(join(to, "@berth"), { recursive: true });
  for (const entry of readdirSync(from)) {
    if (entry !== "@berth" && !entry.startsWith(".")) symlinkSync(join(from, entry), join(to, entry));
  }
  for (const name of workspaces) symlinkSync(join(folder, "packages", name), join(to, "@berth", name));
}

function apply(folder: string, { file, find, replace }: Edit): void {
  const path = join(folder, file);
  const source = readFileSync(path, "utf8");
  const times = source.split(find).length - 1;
  if (times !== 1)
    throw new Error(`the edit of ${file} does not fit any more: its text is there ${times} times`);
  writeFileSync(
    path,
    source.replace(find, () => replace),
  );
}
