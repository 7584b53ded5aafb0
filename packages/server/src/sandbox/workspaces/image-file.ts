import { constants, existsSync } from "node:fs";
import { copyFile, open, rename, stat, truncate } from "node:fs/promises";
import { runProgram } from "../run-program.ts";
import type { WorkspaceLimits } from "./host-workspaces.ts";

export interface ImagePrograms {
  readonly mkfs: string;
  readonly e2fsck: string;
  readonly resize: string;
  readonly mount: string;
  readonly umount: string;
  readonly losetup: string;
  readonly mknod: string;
  readonly cp: string;
}

const kibibyte = 1024;
const mebibyte = kibibyte * kibibyte;
const inodeBytes = 256;
/** ext4 keeps a fiftieth for itself, and 4,096 blocks at most. */
const reservedShare = 0.02;
const mostReserved = 16 * mebibyte;
/** Bitmaps and descriptors, for each of its groups of 128 MiB. */
const groupBytes = 16 * kibibyte;
/** The file system's own folders and ours. */
const ownInodes = 16;

/** Size of the file in which a workspace has as many bytes for its files as its limit says. */
function imageBytes({ diskBytes, inodes }: WorkspaceLimits): number {
  const wanted = diskBytes + (inodes + ownInodes) * inodeBytes;
  const inside = wanted + Math.min(mostReserved, (wanted * reservedShare) / (1 - reservedShare));
  const groups = Math.ceil(inside / (128 * mebibyte));
  return Math.ceil((inside + groups * groupBytes) / (4 * kibibyte)) * 4 * kibibyte;
}

interface NewImage {
  readonly file: string;
  /** Where it is until it is whole: of the same file system, and used by nobody else. */
  readonly draft: string;
  readonly templates: string;
  readonly limits: WorkspaceLimits;
}

/**
 * Makes an ext4 file system in a sparse file: a copy of a template of the same limits (4 ms where mkfs takes 17). It has no journal,
 * because the server's manifests are what files are kept by; see `repairImage`.
 */
export async function makeImage(
  programs: ImagePrograms,
  { file, draft, templates, limits }: NewImage,
): Promise<void> {
  const template = `${templates}/${limits.diskBytes}-${limits.inodes}.img`;
  if (!existsSync(template))
    await makeTemplate(programs, { file: template, draft: `${draft}.template`, limits });
  await copySparse(programs, template, draft);
  await rename(draft, file);
}

async function makeTemplate(
  programs: ImagePrograms,
  { file, draft, limits }: Omit<NewImage, "templates">,
): Promise<void> {
  const handle = await open(draft, "wx", 0o600);
  await handle.truncate(imageBytes(limits));
  await handle.close();
  const features = "^has_journal,^resize_inode,meta_bg";
  const inodes = String(limits.inodes + ownInodes);
  const shape = ["-N", inodes, "-I", String(inodeBytes), "-b", "4096", "-m", "0", "-O", features];
  const habits = ["-E", "lazy_itable_init=1,nodiscard", "-e", "remount-ro"];
  await runProgram(programs.mkfs, ["-q", "-F", ...shape, ...habits, draft]);
  await rename(draft, file);
}

/** Shares blocks with the template where the file system has copy-on-write, and else copies only what is no hole. */
async function copySparse({ cp }: ImagePrograms, from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
  } catch {
    await runProgram(cp, ["--sparse=always", "--", from, to]);
  }
}

/** What the superblock says: how large the file system is, and whether it was unmounted in order. */
async function readSuperblock(file: string): Promise<{ bytes: number; clean: boolean }> {
  const handle = await open(file, "r");
  try {
    const { buffer } = await handle.read(Buffer.alloc(64), 0, 64, kibibyte);
    // s_blocks_count_lo, and bit 0 of s_state.
    return { bytes: buffer.readUInt32LE(4) * 4 * kibibyte, clean: (buffer.readUInt16LE(58) & 1) === 1 };
  } finally {
    await handle.close();
  }
}

/** Whether somebody has it mounted, or a sandbox that is about to be gone still has. */
async function isAttached({ losetup }: ImagePrograms, file: string): Promise<boolean> {
  return (await runProgram(losetup, ["-j", file])).trim() !== "";
}

/** Makes the file system whole if this machine went down with it mounted: what was half-written is given up. */
export async function repairImage(programs: ImagePrograms, file: string): Promise<void> {
  if ((await readSuperblock(file)).clean || (await isAttached(programs, file))) return;
  await check(programs, file);
}

async function check({ e2fsck }: ImagePrograms, file: string): Promise<void> {
  await runProgram(e2fsck, ["-f", "-y", file]).catch((thrown: unknown) => {
    const code = thrown instanceof Error ? (thrown.cause as { code?: unknown } | undefined)?.code : undefined;
    // 1 and 2: errors were found and corrected.
    if (code !== 1 && code !== 2) throw thrown;
  });
}

/** Whether it has less room than these limits. */
export async function isSmaller(file: string, limits: WorkspaceLimits): Promise<boolean> {
  return (await readSuperblock(file)).bytes < imageBytes(limits);
}

/** Makes room up to larger limits; does nothing for smaller ones, or while somebody has it mounted. */
export async function growImage(
  programs: ImagePrograms,
  file: string,
  limits: WorkspaceLimits,
): Promise<void> {
  const wanted = imageBytes(limits);
  if (!(await isSmaller(file, limits)) || (await isAttached(programs, file))) return;
  if ((await stat(file)).size < wanted) await truncate(file, wanted);
  await check(programs, file);
  await runProgram(programs.resize, ["-f", file]);
}
