import { rename, stat } from "node:fs/promises";
import { BerthError } from "../../lib/errors.ts";
import { errnoOf } from "../files/file-errors.ts";
import type { Life, Surroundings } from "./life.ts";
import { writeRecord } from "./record.ts";
import { slotFolder } from "./remains.ts";

/**
 * Gives a warm sandbox its workspace. As root it is mounted on the slot that the sandbox has had as its /workspace from the
 * beginning, and shows there. Without root the slot itself becomes the workspace, if that one is empty. Looks from inside whether it
 * is there. Rejects with `sandbox_unsupported` when a sandbox has to be made with that workspace instead; after any other error this one
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
  const onFull = () => void life.agent.endCommands("disk_full");
  const { diskBytes, inodes } = policy.limits;
  const held = await workspaces.hold(workspaceId, { uid, limits: { diskBytes, inodes }, onFull });
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
    writeRecord(`${host.places.sandboxes}/${record.id}`, known),
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

/** The folder that commands begin in must be the one that the host has. */
async function checkInside({ agent }: Life, workspace: string): Promise<void> {
  const { dev, ino } = await stat(workspace);
  const { output, reason } = await agent
    .inFolder("")
    .exec({ command: "stat -c %d:%i /workspace", timeoutMs: 5_000 });
  if (reason === "exit" && output.trim() === `${dev}:${ino}`) return;
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
