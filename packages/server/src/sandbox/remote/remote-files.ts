import { BerthError } from "../../lib/errors.ts";
import { checkTarget } from "../files/make-link.ts";
import type { sandboxFileCalls } from "../protocol/file-calls.ts";
import { wireLimits } from "../protocol/wire.ts";
import type { SandboxFiles } from "../sandbox.ts";
import type { HostClient } from "./host-client.ts";

export interface FilesAt {
  readonly client: HostClient;
  readonly calls: typeof sandboxFileCalls;
  readonly id: string;
  readonly deployment: string;
  readonly folder: string | undefined;
  /** What an error of the host means to whoever has these files. */
  readonly onError?: (thrown: unknown) => unknown;
}

/** Infinity means all, and JSON has no word for it. */
const most = 100_000;
const deepest = 1_000_000;

/** Files on a host, of a sandbox or a workspace. */
export function createRemoteFiles(at: FilesAt): SandboxFiles {
  const { client, calls, id, deployment } = at;
  const onError = at.onError ?? ((thrown: unknown) => thrown);
  const folder = at.folder === undefined ? {} : { folder: at.folder };
  const told = async <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((thrown: unknown) => {
      throw onError(thrown);
    });
  const made = <A>(args: A) => ({ args, id, deployment });
  const pathArgs = (path: string) => ({ ...folder, path: checked(path) });
  const upTo = (limit: number | undefined) => (limit === undefined ? {} : { limit: whole(limit, most) });

  return {
    stat: async (path) => await told(client.call(calls.stat, made(pathArgs(path)))),
    list: async (path, { depth, limit } = {}) =>
      await told(
        client.call(
          calls.files,
          made({
            ...pathArgs(path),
            ...(depth !== undefined && { depth: whole(depth, deepest) }),
            ...upTo(limit),
          }),
        ),
      ),
    tree: async (path, { limit } = {}) =>
      await told(client.call(calls.tree, made({ ...pathArgs(path), ...upTo(limit) }))),
    async makeFolder(path) {
      await told(client.call(calls.mkdir, made(pathArgs(path))));
    },
    async makeLink(path, target) {
      checkTarget(target);
      await told(client.call(calls.link, made({ ...pathArgs(path), target })));
    },
    async setExecutable(path, executable) {
      await told(client.call(calls.executable, made({ ...pathArgs(path), executable })));
    },
    async read(path, { offset, length } = {}) {
      const args = {
        ...pathArgs(path),
        ...(offset !== undefined && { offset: whole(offset, Number.MAX_SAFE_INTEGER) }),
        ...(length !== undefined && { length: Math.max(0, whole(length, Number.MAX_SAFE_INTEGER)) }),
      };
      const bytes = Math.min(args.length ?? wireLimits.file, wireLimits.file);
      // Its own memory, like that of a file that is read here.
      return new Uint8Array(await told(client.bytes(calls.read, made(args), bytes)));
    },
    async write(path, data) {
      if (data.byteLength > wireLimits.tail) throw tooLarge(data.byteLength);
      await told(client.call(calls.write, { ...made(pathArgs(path)), tail: data }));
    },
    async move(path, to) {
      await told(client.call(calls.move, made({ ...pathArgs(path), to: checked(to) })));
    },
    remove: async (path) => await told(client.call(calls.remove, made(pathArgs(path)))),
    glob: async (pattern, { path, limit } = {}) =>
      await told(
        client.call(
          calls.glob,
          made({ ...folder, pattern, ...(path !== undefined && { path: checked(path) }), ...upTo(limit) }),
        ),
      ),
    async grep(pattern, { path, glob, ignoreCase, limit, signal } = {}) {
      const args = {
        ...folder,
        pattern,
        ...(path !== undefined && { path: checked(path) }),
        ...(glob !== undefined && { glob }),
        ...(ignoreCase !== undefined && { ignoreCase }),
        ...upTo(limit),
      };
      return await told(client.call(calls.grep, { ...made(args), signal }));
    },
  };
}

/** What is too long to be a path anywhere is not sent. */
function checked(path: string): string {
  if (path.length <= 16_384) return path;
  throw new BerthError("path_invalid", "A path can have at most 4096 bytes.");
}

function whole(value: number, highest: number): number {
  return Number.isNaN(value) ? 1 : Math.trunc(Math.min(value, highest));
}

function tooLarge(size: number): BerthError {
  const message = `The file has ${size} bytes and at most ${wireLimits.tail} can be taken at once; use a part of it.`;
  return new BerthError("file_too_large", message, { details: { size, maxBytes: wireLimits.tail } });
}
