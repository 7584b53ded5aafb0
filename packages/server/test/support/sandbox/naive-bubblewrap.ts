import { execFile } from "node:child_process";
import { promisify } from "node:util";

/**
 * bubblewrap as it is often run: by the server's own user, with the server's environment and arguments, without a filter, without
 * control groups. What attacks find here shows that they can find something.
 */
export async function runNaively(command: string): Promise<string> {
  const options = [
    ["--unshare-all", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--clearenv"],
    ["--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"],
    ["--symlink", "usr/bin", "/bin", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
    ["--die-with-parent", "--setenv", "PATH", "/usr/bin:/bin"],
  ].flat();
  const { stdout } = await promisify(execFile)("bwrap", [...options, "bash", "-c", command], {
    timeout: 20_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}
