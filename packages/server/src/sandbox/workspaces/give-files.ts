import { chown, lstat, readdir } from "node:fs/promises";
import { findProgram, runProgram } from "../run-program.ts";

/** Whose the files of a workspace are; null: the server's own. */
export async function ownerOf(root: string): Promise<number | null> {
  const { uid } = await lstat(root);
  return uid === process.getuid?.() ? null : uid;
}

/**
 * Gives every file of a workspace to a user (and its group of the same number), the top last, so that one that is interrupted is done
 * again. Only while no sandbox has the workspace. Null: the server's own user.
 */
export async function giveFiles(root: string, uid: number | null): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const wanted = uid ?? 0;
  if ((await lstat(root)).uid === wanted) return;
  const program = findProgram("chown");
  if (program === null) throw new Error("chown is not installed: it is a part of coreutils");
  await chown(root, 0, 0);
  const names = (await readdir(root)).map((name) => `${root}/${name}`);
  // `-h`: links themselves, never what they lead to; `-R` does not go through links either.
  for (let at = 0; at < names.length; at += 500)
    await runProgram(program, ["-hR", `${wanted}:${wanted}`, "--", ...names.slice(at, at + 500)]);
  await chown(root, wanted, wanted);
}
