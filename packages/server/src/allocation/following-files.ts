import { asBerthError } from "../lib/errors.ts";
import type { SandboxFiles } from "../sandbox/sandbox.ts";
import type { WorkspacePlace } from "../store/workspace-moves.ts";

/** Where a session's files are now, opened. */
export interface OpenPlace extends WorkspacePlace {
  readonly files: SandboxFiles;
}

interface Following {
  /** Rejects with `workspace_lost` when they are nowhere any more. */
  readonly find: () => Promise<OpenPlace>;
  /** After a write: whether the files are being copied elsewhere. They will not be moved then. */
  readonly settleWrite: (place: WorkspacePlace) => Promise<void>;
}

/**
 * A session's files wherever its workspace is: each call looks where. A write that went to a workspace that was moved meanwhile is done
 * again where the files are now.
 */
export function followingFiles({ find, settleWrite }: Following): SandboxFiles {
  const read = async <T>(call: (files: SandboxFiles) => Promise<T>): Promise<T> => {
    const place = await find();
    try {
      return await call(place.files);
    } catch (error) {
      const now = await find();
      if (now.workspaceId === place.workspaceId) throw error;
      return await call(now.files);
    }
  };
  const write = async <T>(call: (files: SandboxFiles) => Promise<T>): Promise<T> => {
    const place = await find();
    const done = await call(place.files).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    await settleWrite(place);
    const now = await find();
    if (now.workspaceId === place.workspaceId) {
      if ("error" in done) throw done.error;
      return done.value;
    }
    try {
      const again = await call(now.files);
      return "error" in done ? again : done.value;
    } catch (error) {
      // What was moved or removed before the copy is so in the copy.
      if ("value" in done && asBerthError(error).code === "file_not_found") return done.value;
      throw error;
    }
  };
  return {
    stat: (path) => read((files) => files.stat(path)),
    list: (path, options) => read((files) => files.list(path, options)),
    tree: (path, options) => read((files) => files.tree(path, options)),
    makeFolder: (path) => write((files) => files.makeFolder(path)),
    makeLink: (path, target) => write((files) => files.makeLink(path, target)),
    setExecutable: (path, executable) => write((files) => files.setExecutable(path, executable)),
    read: (path, options) => read((files) => files.read(path, options)),
    glob: (pattern, options) => read((files) => files.glob(pattern, options)),
    grep: (pattern, options) => read((files) => files.grep(pattern, options)),
    write: (path, data) => write((files) => files.write(path, data)),
    move: (path, to) => write((files) => files.move(path, to)),
    remove: (path) => write((files) => files.remove(path)),
  };
}
