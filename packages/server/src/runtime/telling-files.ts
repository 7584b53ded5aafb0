import type { SandboxFiles } from "../sandbox/sandbox.ts";

/** The same files; `onError` is told what a call rejects with. */
export function tellingFiles(files: SandboxFiles, onError: (error: unknown) => void): SandboxFiles {
  const told = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      onError(error);
      throw error;
    }
  };
  return {
    stat: (path) => told(files.stat(path)),
    list: (path, options) => told(files.list(path, options)),
    tree: (path, options) => told(files.tree(path, options)),
    makeFolder: (path) => told(files.makeFolder(path)),
    makeLink: (path, target) => told(files.makeLink(path, target)),
    setExecutable: (path, executable) => told(files.setExecutable(path, executable)),
    read: (path, options) => told(files.read(path, options)),
    write: (path, data) => told(files.write(path, data)),
    move: (path, to) => told(files.move(path, to)),
    remove: (path) => told(files.remove(path)),
    glob: (pattern, options) => told(files.glob(pattern, options)),
    grep: (pattern, options) => told(files.grep(pattern, options)),
  };
}
