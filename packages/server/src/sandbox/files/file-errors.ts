import { BerthError } from "../../lib/errors.ts";

const byErrno: Readonly<Record<string, readonly [code: string, message: (path: string) => string]>> = {
  ENOENT: ["file_not_found", (path) => `There is no ${path} in the workspace.`],
  ENOTDIR: ["not_a_directory", (path) => `${path} goes through something that is not a folder.`],
  EISDIR: ["not_a_file", (path) => `${path} is a folder, not a file.`],
  ELOOP: [
    "path_invalid",
    (path) => `${path} is a link, and links are not followed; use the path that it points to.`,
  ],
  EINVAL: ["path_invalid", (path) => `${path} cannot be used for this.`],
  ENAMETOOLONG: ["path_invalid", (path) => `${path} is too long.`],
  ENXIO: ["not_a_file", (path) => `${path} is not a regular file.`],
  ENODEV: ["not_a_file", (path) => `${path} is not a regular file.`],
  EEXIST: ["file_exists", (path) => `${path} exists already; remove it first.`],
  ENOTEMPTY: ["file_exists", (path) => `${path} is a folder that is not empty; remove it first.`],
  EBUSY: ["permission_denied", (path) => `${path} is in use as a mount point.`],
  EXDEV: ["permission_denied", (path) => `${path} is on another file system than the workspace.`],
  EROFS: ["permission_denied", (path) => `${path} is on a file system that cannot be written.`],
  EACCES: ["permission_denied", (path) => `${path} cannot be accessed: its permissions forbid it.`],
  EPERM: ["permission_denied", (path) => `${path} cannot be changed: its permissions forbid it.`],
  ENOSPC: ["disk_full", () => "The disk is full; free some space, then try again."],
  EDQUOT: ["disk_full", () => "The disk quota is used up; free some space, then try again."],
};

/** The operating system's code of a thrown error, for example `ENOENT`; null when it has none. */
export function errnoOf(thrown: unknown): string | null {
  if (!(thrown instanceof Error) || !("code" in thrown)) return null;
  return typeof thrown.code === "string" ? thrown.code : null;
}

/** A failed file operation as a typed error that names the workspace path and never a path of the host. */
export function fileError(thrown: unknown, path: string): BerthError {
  if (thrown instanceof BerthError) return thrown;
  const errno = errnoOf(thrown);
  const shown = path === "" ? "the workspace" : `"${path.slice(0, 300)}"`;
  const known = errno === null ? undefined : byErrno[errno];
  if (known !== undefined) {
    const [code, message] = known;
    return new BerthError(code, message(shown), { retryable: code === "disk_full" });
  }
  return new BerthError(
    "file_failed",
    `${shown} could not be used (${errno ?? "unknown error"}); try again.`,
    {
      retryable: true,
      cause: thrown,
    },
  );
}
