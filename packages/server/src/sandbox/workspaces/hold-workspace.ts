import { ownerOf, giveFiles } from "./give-files.ts";
import type { HeldWorkspace, HoldOptions } from "./host-workspaces.ts";
import { BerthError } from "../../lib/errors.ts";
import { usageOf, type WorkspaceParts } from "./workspace-files.ts";

/** See HostWorkspaces. */
export async function holdWorkspace(
  parts: WorkspaceParts,
  id: string,
  { uid, limits, onLook, namelessBytes }: HoldOptions,
): Promise<HeldWorkspace> {
  const { opened, plain, quota, warn } = parts;
  const prepare = async (root: string, others: number) => {
    if (others === 0) await giveFiles(root, uid);
    else if ((await ownerOf(root)) !== uid) throw otherUser();
  };
  const { disk, place } = await opened.hold(id, { limits, prepare });
  const watched = disk === plain ? quota : null;
  if (limits !== undefined) await watched?.setLimits(id, limits);
  const end = new AbortController();
  const watching =
    watched === null || onLook === undefined
      ? null
      : watched.watch({
          id,
          root: place.root,
          onLook,
          ...(namelessBytes !== undefined && { namelessBytes }),
          onError: (error) => warn({ workspace: id, error }, "a workspace could not be measured"),
          signal: end.signal,
        });
  let released = false;
  return {
    path: place.root,
    usage: () => usageOf(parts, { id, disk, root: place.root }),
    async limit(wanted) {
      // An image grows when nobody holds it: the next time that it is held.
      if (watched === null) return limits ?? wanted;
      await watched.setLimits(id, wanted);
      return wanted;
    },
    async release() {
      if (released) return;
      released = true;
      end.abort();
      await watching;
      opened.unhold(id);
    },
  };
}

function otherUser(): BerthError {
  return new BerthError("sandbox_busy", "Another sandbox has the workspace; end it first.", {
    retryable: true,
  });
}
