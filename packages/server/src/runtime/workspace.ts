import type { ErrorInfo } from "@berth/contract";
import { asBerthError, BerthError } from "../lib/errors.ts";
import { failpoint } from "../lib/failpoint.ts";
import type { SandboxRequest, SessionSandboxes } from "../allocation/session-sandboxes.ts";
import type { Sandbox, SandboxFiles } from "../sandbox/sandbox.ts";
import type { Clock } from "../lib/clock.ts";
import type { KeptFile } from "../session/file-changes.ts";
import type { KnownFiles } from "../session/known-files.ts";
import type { SessionState } from "../session/state.ts";
import type { Blobs } from "../store/blobs.ts";
import { applyFileInput, type FileInput } from "./apply-file-input.ts";
import { tellingFiles } from "./telling-files.ts";
import {
  assertWhole,
  type BlobSource,
  deepest,
  fill,
  type Manifest,
  mostBytesOfFile,
  mostFiles,
  readFiles,
} from "./manifest.ts";

/** Bytes that one manifest reads anew at most: what was read for an earlier one and did not change is not counted. */
const mostBytesRead = 256 * 1024 * 1024;

export interface TakenManifest {
  readonly hash: string;
  /** Every blob that the manifest needs, itself included. */
  readonly blobs: readonly string[];
}

/** The workspace is too large to be kept in the time that there is: nothing of it is kept. */
export interface SkippedManifest {
  readonly skipped: BerthError;
  /** It was told before of this workspace. */
  readonly toldBefore: boolean;
}

interface ManifestTime {
  readonly clock: Clock;
  readonly budgetMs: number;
}

/** What the log says about the files. */
type Kept = Pick<SessionState, "manifest" | "fileChanges" | "workspaceDirty">;

/** A session's files and their past: a manifest (path to blob) for each run that changed them. */
export class Workspace {
  readonly #sandboxes: SessionSandboxes;
  readonly #blobs: Blobs;
  readonly #orgId: string;
  readonly #sessionId: string;
  /** Seq of the fork's own first event, which names the manifest that it begins with; null when the session is no fork. */
  readonly #forkedAt: number | null;
  /** What files were when they were last read: unchanged size and time, unchanged bytes. */
  #seen = new Map<string, { readonly stamp: string; readonly hash: string }>();
  #files: Promise<SandboxFiles> | null = null;
  #toldSkipped = false;
  /** They went with their host. */
  #wereThere = false;
  #isLeft = false;
  #loss: ErrorInfo | null = null;

  constructor(options: {
    sandboxes: SessionSandboxes;
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

  /** The session's files; a workspace that is new begins with those of the manifest. Needs no sandbox. */
  files(kept: Kept): Promise<SandboxFiles> {
    this.#files ??= this.#open(kept).catch((error: unknown) => {
      this.#files = null;
      throw error;
    });
    return this.#files;
  }

  /** The session's sandbox with those files, given out when it has none. */
  async sandbox(kept: Kept, request: Omit<SandboxRequest, "orgId" | "sessionId"> = {}): Promise<Sandbox> {
    await this.files(kept);
    try {
      return await this.#sandboxes.connect({ ...request, ...this.#spec });
    } catch (error) {
      if (asBerthError(error).code !== "workspace_lost") throw error;
      this.#lose();
      await this.files(kept);
      return await this.#sandboxes.connect({ ...request, ...this.#spec });
    }
  }

  /** Gives a new fork its files at once, so that whoever looks finds them before its first tool does. */
  async prepare(kept: Kept): Promise<void> {
    if (this.#isUntouched(kept)) await this.files(kept);
  }

  /** That the files were lost and are those of an earlier moment now, if that happened since this was asked last. */
  takeLoss(): ErrorInfo | null {
    const loss = this.#loss;
    this.#loss = null;
    return loss;
  }

  /**
   * Does what a file input asks for. Repeating it does no harm: with `mayBeDone`, what a holder before this one did without telling it
   * in the log is told now and not refused. Resolves to what was in the way.
   */
  async apply(
    input: FileInput,
    kept: Kept & Pick<SessionState, "toolsTouched">,
    { mayBeDone }: { readonly mayBeDone: boolean },
  ): Promise<{ code: string; message: string } | null> {
    try {
      const files = await this.files(kept);
      const known = mayBeDone && !kept.toolsTouched ? await readFiles(this.#source, kept) : null;
      await applyFileInput(files, input, { source: this.#source, known });
      return null;
    } catch (error) {
      const { code, message } = asBerthError(error);
      return { code, message };
    }
  }

  /**
   * Stores the workspace as it is now: every blob is durable before the hash comes back. Null when there is no workspace. All of it or
   * nothing: it is skipped when more than 256 MiB would have to be read anew, when `budgetMs` milliseconds are over before it is done, or
   * when the organization may not store so much.
   */
  async takeManifest(time: ManifestTime): Promise<TakenManifest | SkippedManifest | null> {
    try {
      return await this.#storeAll(time);
    } catch (thrown) {
      if (!(thrown instanceof BerthError) || thrown.code !== "quota_exceeded") throw thrown;
      return this.#skip(thrown.message.replace(/\.$/, ""));
    }
  }

  async #storeAll(time: ManifestTime): Promise<TakenManifest | SkippedManifest | null> {
    failpoint("runtime.before-manifest");
    const deadline = time.clock.monotonic() + time.budgetMs;
    const workspace = await (this.#files ?? this.#sandboxes.files(this.#spec));
    if (workspace === null) return null;
    const { items } = await workspace.list("", { depth: deepest, limit: mostFiles });
    const kept = items
      .filter(({ kind, size }) => kind === "file" && size <= mostBytesOfFile)
      .map(({ path, size, modifiedAt }) => ({ path, size, stamp: `${size}/${modifiedAt}` }));
    const unread = kept.filter(({ path, stamp }) => this.#seen.get(path)?.stamp !== stamp);
    const bytes = unread.reduce((sum, { size }) => sum + size, 0);
    if (bytes > mostBytesRead)
      return this.#skip(`${bytes} bytes of it are new, and ${mostBytesRead} are kept at most`);
    const files: KeptFile[] = [];
    // Remembered once the manifest is whole: a blob that nothing names may be deleted.
    const read = new Map<string, { readonly stamp: string; readonly hash: string }>();
    for (const { path, size, stamp } of kept) {
      if (time.clock.monotonic() > deadline) return this.#skip(`it took more than ${time.budgetMs} ms`);
      const known = this.#seen.get(path);
      const hash = known?.stamp === stamp ? known.hash : await this.#keep(workspace, path);
      if (hash === null) continue;
      read.set(path, { stamp, hash });
      files.push({ path, hash, size });
    }
    files.sort((a, b) => (a.path < b.path ? -1 : 1));
    const manifest: Manifest = { version: 1, files };
    const { hash } = await this.#blobs.put(this.#orgId, Buffer.from(JSON.stringify(manifest)));
    this.#seen = read;
    return { hash, blobs: [hash, ...new Set(files.map((file) => file.hash))] };
  }

  /** Rejects when a restore of these files could not be completed from what is stored. Changes nothing. */
  async assertRestorable(known: KnownFiles): Promise<void> {
    await assertWhole(this.#source, await readFiles(this.#source, known));
  }

  /** Ends the session's processes and makes its files these, and no others. Repeating it does no harm. */
  async restore(known: KnownFiles): Promise<void> {
    failpoint("runtime.before-restore");
    await this.release();
    const existing = await this.#sandboxes.files(this.#spec);
    const wanted = await readFiles(this.#source, known);
    if (existing === null && wanted.length === 0 && known.manifest === null) return;
    if (existing !== null) {
      this.#seen.clear();
      await fill(existing, wanted, { source: this.#source, mayChange: () => this.#assertHeld() });
    }
    this.#files = Promise.resolve(existing ?? (await this.#make(wanted)));
    this.#wereThere = false;
    failpoint("runtime.after-restore");
  }

  /** Ends the session's processes; its files stay. */
  async release(): Promise<void> {
    this.#files = null;
    await this.#sandboxes.release(this.#spec);
  }

  /** Leaves it to the session's next holder: a restore that is under way changes nothing more, and rejects with `sandbox_gone`. */
  leave(): void {
    this.#isLeft = true;
  }

  #assertHeld(): void {
    if (!this.#isLeft) return;
    throw new BerthError("sandbox_gone", "The session was left to its next holder.", { retryable: true });
  }

  get #source(): BlobSource {
    return { blobs: this.#blobs, orgId: this.#orgId };
  }

  get #spec() {
    return { orgId: this.#orgId, sessionId: this.#sessionId };
  }

  async #open(kept: Kept): Promise<SandboxFiles> {
    // What lies in a fork that nobody has touched may have been being restored when a server died.
    const existing = this.#isUntouched(kept) ? null : await this.#sandboxes.files(this.#spec);
    if (existing !== null) return this.#watched(existing);
    const made = await this.#make(await readFiles(this.#source, kept));
    if (this.#wereThere || this.#hadFiles(kept)) this.#loss = lossOf(kept);
    this.#wereThere = false;
    return made;
  }

  /** True for a fork with files that nobody has touched. */
  #isUntouched({ manifest, fileChanges, workspaceDirty }: Kept): boolean {
    if (this.#forkedAt === null || workspaceDirty) return false;
    return manifest === null ? fileChanges.length > 0 : manifest.seq === this.#forkedAt;
  }

  #hadFiles(kept: Kept): boolean {
    return (kept.manifest !== null || kept.fileChanges.length > 0) && !this.#isUntouched(kept);
  }

  /** A workspace that begins with these files. One that did not get them all is not left behind: it would be taken for the session's. */
  async #make(wanted: readonly KeptFile[]): Promise<SandboxFiles> {
    await assertWhole(this.#source, wanted);
    this.#seen.clear();
    let isHalf = false;
    try {
      const made = await this.#sandboxes.workspace(this.#spec, async (files) => {
        isHalf = true;
        if (wanted.length > 0) await fill(files, wanted, { source: this.#source });
        isHalf = false;
      });
      return this.#watched(made);
    } catch (error) {
      if (isHalf) await this.#sandboxes.destroy(this.#spec);
      throw error;
    }
  }

  /** Files that went with their host are not asked again: the next use begins with those of the manifest. */
  #watched(files: SandboxFiles): SandboxFiles {
    return tellingFiles(files, (error) => {
      if (asBerthError(error).code === "workspace_lost") this.#lose();
    });
  }

  #lose(): void {
    this.#files = null;
    this.#wereThere = true;
  }

  #skip(why: string): SkippedManifest {
    const message = `The workspace was not kept for rewinds and forks: ${why}. The end of the next run tries again.`;
    const toldBefore = this.#toldSkipped;
    this.#toldSkipped = true;
    return { skipped: new BerthError("manifest_skipped", message), toldBefore };
  }

  async #keep(files: SandboxFiles, path: string): Promise<string | null> {
    // A file that vanished or changed its kind since the listing is not part of this manifest.
    const data = await files.read(path).catch(() => null);
    return data === null ? null : (await this.#blobs.put(this.#orgId, data)).hash;
  }
}

function lossOf({ manifest, fileChanges }: Kept): ErrorInfo {
  const since = "what was uploaded, moved and deleted since";
  const now =
    manifest === null && fileChanges.length === 0
      ? "None were kept, so the workspace is empty now."
      : `They are now those ${manifest === null ? "of the beginning" : `that were kept with event ${manifest.seq}`}, with ${since}. What commands and tools changed since is gone.`;
  return {
    code: "workspace_lost",
    message: `The files of this session were lost with the place where they were. ${now}`,
    retryable: false,
  };
}
