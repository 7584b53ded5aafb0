import { lstat, rename } from "node:fs/promises";
import { BerthError } from "../../lib/errors.ts";
import { errnoOf } from "../files/file-errors.ts";
import type { Life, Surroundings } from "./life.ts";
import { updateRecord } from "./record.ts";
import { slotFolder } from "./remains.ts";
import { keepingTo } from "./runners.ts";

/**
 * Gives a warm sandbox its workspace. As root it is mounted on the slot that the sandbox has had as its /workspace from the
 * beginning, and shows there. Without root the slot itself becomes the workspace, if that one is empty. Looks whether it is there inside. Rejects with `sandbox_unsupported` when a sandbox has to be made with that workspace instead; after any other error this one
 * is to be ended.
 */
export async function attachWorkspace(
  surroundings: Surroundings,
  life: Life,
  workspaceId: string,
): Promise<void> {
  const { host, workspaces } = surroundings;
  const { record, policy } = life;
  const { uid } = record;
  const owner = await workspaces.ownerOf(workspaceId);
  // To give many files to another user takes longer than to make a sandbox of the user whose they are.
  if (uid !== null && owner !== null && owner !== uid)
    throw makeAnother("the workspace's files are another user's");
  const { diskBytes, inodes } = policy.limits;
  const held = await workspaces.hold(workspaceId, {
    uid,
    limits: { diskBytes, inodes },
    ...keepingTo(life.runners),
  });
  const slot = `${record.folder}/${slotFolder}`;
  if (host.rootTools === null) {
    try {
      await becomeWorkspace(slot, held.path);
    } catch (thrown) {
      await held.release();
      throw thrown;
    }
  }
  life.workspace = held;
  const known = { ...record, workspaceId };
  const show = async () => {
    await host.rootTools?.bind(held.path, slot);
    await checkInside(life, held.path);
  };
  const both = await Promise.allSettled([
    show(),
    updateRecord(`${host.places.sandboxes}/${record.id}`, known),
  ]);
  for (const one of both) if (one.status === "rejected") throw one.reason;
  life.record = known;
}

async function becomeWorkspace(slot: string, workspace: string): Promise<void> {
  try {
    await rename(slot, workspace);
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOTEMPTY" || errnoOf(thrown) === "EEXIST" || errnoOf(thrown) === "EXDEV") {
      throw makeAnother("the server is not root, and the workspace is not new");
    }
    throw thrown;
  }
}

/**
 * The folder that commands begin in must be the one that the host has. Looked at through the first process, which sees what all in the
 * sandbox see (0.1 ms; a command in it takes 5).
 */
async function checkInside({ launched }: Life, workspace: string): Promise<void> {
  const wanted = await lstat(workspace);
  const seen = await lstat(`/proc/${launched.first.pid}/root/workspace`).catch(() => null);
  if (seen?.dev === wanted.dev && seen.ino === wanted.ino) return;
  throw new BerthError("sandbox_lost", "The workspace did not appear in the sandbox; make a new one.", {
    retryable: true,
  });
}

function makeAnother(why: string): BerthError {
  return new BerthError(
    "sandbox_unsupported",
    `This sandbox cannot take the workspace, because ${why}; make one with it.`,
  );
}
