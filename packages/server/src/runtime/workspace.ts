import type { InputBody } from "@berth/contract";
import { asBerthError, BerthError } from "../lib/errors.ts";
import { failpoint } from "../lib/failpoint.ts";
import type { Sandbox, SandboxProvider } from "../sandbox/sandbox.ts";
import type { SessionState } from "../session/state.ts";
import type { Blobs } from "../store/blobs.ts";

/** Files beyond these are left out of manifests, and with them of forks and rewinds. */
const mostFiles = 10_000;
const mostBytesOfFile = 32 * 1024 * 1024;
const deepest = 64;

interface ManifestFile {
  readonly path: string;
  readonly hash: string;
  readonly size: number;
}

interface Manifest {
  readonly version: 1;
  readonly files: readonly ManifestFile[];
}

export interface TakenManifest {
  readonly hash: string;
  /** Every blob that the manifest needs, itself included. */
  readonly blobs: readonly string[];
}

/** What the log says about the files. */
type Kept = Pick<SessionState, "manifest" | "workspaceDirty">;

type FileInput = Extract<InputBody, { type: "file.write" | "file.delete" | "file.move" }>;

/** A session's files and their past: a manifest (path to blob) for each run that changed them. */
export class Workspace {
  readonly #sandboxes: SandboxProvider;
  readonly #blobs: Blobs;
  readonly #orgId: string;
  readonly #sessionId: string;
  /** Seq of the fork's own first event, which names the manifest that it begins with; null when the session is no fork. */
  readonly #forkedAt: number | null;
  /** What files were when they were last read: unchanged size and time, unchanged bytes. */
  readonly #seen = new Map<string, { readonly stamp: string; readonly hash: string }>();
  #sandbox: Promise<Sandbox> | null = null;

  constructor(options: {
    sandboxes: SandboxProvider;
    blobs: Blobs;
    orgId: string;
    sessionId: string;
    forkedAt: number | null;
  }) {
    this.#sandboxes = options.sandboxes;
    this.#blobs = options.blobs;
    this.#orgId = options.orgId;
    this.#sessionId = options.sessionId;
    this.#forkedAt = options.forkedAt;
  }

  /** The session's sandbox; one that is new begins with the files of the manifest. */
  sandbox(kept: Kept): Promise<Sandbox> {
    this.#sandbox ??= this.#open(kept).catch((error: unknown) => {
      this.#sandbox = null;
      throw error;
    });
    return this.#sandbox;
  }

  /** Does what a file input asks for. Repeating it does no harm. */
  async apply(input: FileInput, kept: Kept): Promise<{ code: string; message: string } | null> {
    try {
      const { files } = await this.sandbox(kept);
      if (input.type === "file.write") await files.write(input.path, await this.#read(input.hash));
      else if (input.type === "file.move") await files.move(input.path, input.to);
      else if (!(await files.remove(input.path))) {
        return {
          code: "file_not_found",
          message: `There is no file ${JSON.stringify(input.path)} in the workspace.`,
        };
      }
      return null;
    } catch (error) {
      const { code, message } = asBerthError(error);
      return { code, message };
    }
  }

  /** Stores the workspace as it is now: every blob is durable before the hash comes back. Null when there is no workspace. */
  async takeManifest(): Promise<TakenManifest | null> {
    failpoint("runtime.before-manifest");
    const sandbox = await (this.#sandbox ?? this.#sandboxes.find(this.#spec));
    if (sandbox === null) return null;
    const { items } = await sandbox.files.list("", { depth: deepest, limit: mostFiles });
    const files: ManifestFile[] = [];
    for (const { path, kind, size, modifiedAt } of items) {
      if (kind !== "file" || size > mostBytesOfFile) continue;
      const hash = await this.#keep(sandbox, path, `${size}/${modifiedAt}`);
      if (hash !== null) files.push({ path, hash, size });
    }
    files.sort((a, b) => (a.path < b.path ? -1 : 1));
    const manifest: Manifest = { version: 1, files };
    const { hash } = await this.#blobs.put(this.#orgId, Buffer.from(JSON.stringify(manifest)));
    return { hash, blobs: [hash, ...new Set(files.map((file) => file.hash))] };
  }

  /** Makes the workspace what the manifest says; null empties it. Repeating it does no harm. */
  async restore(manifest: string | null): Promise<void> {
    failpoint("runtime.before-restore");
    const existing = await (this.#sandbox ?? this.#sandboxes.find(this.#spec));
    if (existing === null && manifest === null) return;
    const sandbox = existing ?? (await this.#sandboxes.connect(this.#spec));
    await this.#fill(sandbox, manifest);
    this.#sandbox = Promise.resolve(sandbox);
    failpoint("runtime.after-restore");
  }

  /** Ends the session's processes; its files stay. */
  async release(): Promise<void> {
    this.#sandbox = null;
    await this.#sandboxes.release(this.#spec);
  }

  get #spec() {
    return { orgId: this.#orgId, sessionId: this.#sessionId };
  }

  async #open({ manifest, workspaceDirty }: Kept): Promise<Sandbox> {
    // Nobody has touched the files of this fork: what lies there was being restored when a server died.
    const untouched = manifest !== null && manifest.seq === this.#forkedAt && !workspaceDirty;
    const existing = untouched ? null : await this.#sandboxes.find(this.#spec);
    if (existing !== null) return existing;
    const made = await this.#sandboxes.connect(this.#spec);
    if (manifest !== null) await this.#fill(made, manifest.hash);
    return made;
  }

  async #fill(sandbox: Sandbox, manifest: string | null): Promise<void> {
    const wanted = manifest === null ? [] : await this.#readManifest(manifest);
    const paths = new Set(wanted.map((file) => file.path));
    const { items } = await sandbox.files.list("", { depth: deepest, limit: mostFiles });
    for (const { path, kind } of items) {
      if (kind !== "directory" && !paths.has(path)) await sandbox.files.remove(path);
    }
    for (const { path, hash } of wanted) await sandbox.files.write(path, await this.#read(hash));
    this.#seen.clear();
  }

  async #keep(sandbox: Sandbox, path: string, stamp: string): Promise<string | null> {
    const seen = this.#seen.get(path);
    if (seen?.stamp === stamp) return seen.hash;
    // A file that vanished or changed its kind since the listing is not part of this manifest.
    const data = await sandbox.files.read(path).catch(() => null);
    if (data === null) return null;
    const { hash } = await this.#blobs.put(this.#orgId, data);
    this.#seen.set(path, { stamp, hash });
    return hash;
  }

  async #readManifest(hash: string): Promise<readonly ManifestFile[]> {
    const manifest = JSON.parse(Buffer.from(await this.#read(hash)).toString("utf8")) as Manifest;
    return manifest.files;
  }

  async #read(hash: string): Promise<Uint8Array> {
    const data = await this.#blobs.get(this.#orgId, hash);
    if (data === null) throw new BerthError("blob_missing", `The stored file ${hash} is missing.`);
    return data;
  }
}
