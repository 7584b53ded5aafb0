import { createWriteStream } from "node:fs";
import { readFile, rename, rm } from "node:fs/promises";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import type { FileEntry } from "@berth/client";
import { Command } from "commander";
import { roughByteSize } from "../../lib/byte-size.ts";
import type { Actions } from "../context.ts";
import { safeText } from "../terminal/safe-text.ts";

const examples = `
Examples:
  ./berth sessions files list ses_… --depth 3
  ./berth sessions files download ses_… report.pdf
  ./berth sessions files upload ses_… ./data.csv --to in/data.csv
  ./berth sessions files archive ses_… --to work.tar.gz
  ./berth sessions files extract ses_… work.tar.gz --path src
  ./berth sessions files delete ses_… in/data.csv`;

export function bindSessionFiles(actions: Actions, sessions: Command): void {
  const files = new Command("files")
    .description("See, bring and take the files of a session's workspace.")
    .addHelpText("after", examples);
  bindList(actions, files);
  bindDownload(actions, files);
  bindUpload(actions, files);
  bindArchive(actions, files);
  bindExtract(actions, files);
  bindDelete(actions, files);
  sessions.addCommand(files);
}

const columns = {
  PATH: ({ path }: FileEntry) => path,
  KIND: ({ kind }: FileEntry) => kind,
  SIZE: ({ kind, size }: FileEntry) => (kind === "file" ? roughByteSize(size) : "-"),
  CHANGED: ({ modifiedAt }: FileEntry) => modifiedAt.slice(0, 19).replace("T", " "),
};

function bindList(actions: Actions, files: Command): void {
  const command = files
    .command("list <id>")
    .description("List what is in a folder of the workspace.")
    .option("--path <folder>", "default: the workspace itself")
    .option("--depth <n>", "folders deep", "1");
  actions.bind<{ path?: string; depth: string }>(
    command,
    async ({ client, args, flags, printList, signal }) => {
      const { path = "", depth } = flags;
      const session = (await client()).session(args[0] ?? "");
      const { items } = await session.files.list({ path, depth: Number(depth), signal });
      printList(items, columns, "There are no files.");
    },
  );
}

function bindDownload(actions: Actions, files: Command): void {
  const command = files
    .command("download <id> <path>")
    .description("Write a file of the workspace to a file here.")
    .option("--to <file>", "default: its name, here");
  actions.bind<{ to?: string }>(command, async ({ client, args, flags, print, signal }) => {
    const [id = "", path = ""] = args;
    const to = flags.to ?? basename(path);
    await writeWhole(to, (await client()).session(id).files.downloadPieces(path, { signal }), signal);
    print({ path, file: to }, `${safeText(to)}\n`);
  });
}

function bindUpload(actions: Actions, files: Command): void {
  const command = files
    .command("upload <id> <file>")
    .description("Write a file from here into the workspace.")
    .option("--to <path>", "default: its name, at the workspace's top");
  actions.bind<{ to?: string }>(command, async ({ client, args, flags, print, signal }) => {
    const [id = "", file = ""] = args;
    const to = flags.to ?? basename(file);
    const data = new Uint8Array(await readFile(file));
    await (await client()).session(id).files.upload(to, data, { signal });
    print({ path: to, bytes: data.length }, `${safeText(to)}  ${roughByteSize(data.length)}\n`);
  });
}

function bindArchive(actions: Actions, files: Command): void {
  const command = files
    .command("archive <id>")
    .description("Write the workspace, or a folder of it, to a tar.gz archive here.")
    .option("--path <folder>", "default: the workspace itself")
    .option("--to <file>", "default: the session's id and .tar.gz; - is standard output");
  actions.bind<{ path?: string; to?: string }>(
    command,
    async ({ client, args, flags, io, print, signal }) => {
      const [id = ""] = args;
      const to = flags.to ?? `${id.replaceAll(/[^\w-]/g, "")}.tar.gz`;
      const { path = "" } = flags;
      const pieces = (await client()).session(id).files.archive({ path, signal });
      if (to === "-") return await pipeline(pieces, io.stdout, { signal, end: false });
      await writeWhole(to, pieces, signal);
      print({ id, file: to }, `${safeText(to)}\n`);
    },
  );
}

function bindExtract(actions: Actions, files: Command): void {
  const command = files
    .command("extract <id> <archive>")
    .description("Write the files of a tar or tar.gz archive into the workspace.")
    .option("--path <folder>", "default: the workspace itself");
  actions.bind<{ path?: string }>(command, async ({ client, args, flags, print, signal }) => {
    const [id = "", archive = ""] = args;
    const data = new Uint8Array(await readFile(archive));
    const { path = "" } = flags;
    const made = await (await client()).session(id).files.extract(data, { path, signal });
    if (made === null) return print(null, "The server has taken it and has not written all of it yet.\n");
    const left =
      made.skipped > 0
        ? ` ${made.skipped} entries were left out: special files, hard links, and links where a folder is.`
        : "";
    print(made, `${made.files} files, ${roughByteSize(made.bytes)}.${left}\n`);
  });
}

function bindDelete(actions: Actions, files: Command): void {
  const command = files
    .command("delete <id> <path>")
    .description("Delete a file, or a folder with all that is in it.");
  actions.bind(command, async ({ client, args, print, signal }) => {
    const [id = "", path = ""] = args;
    await (await client()).session(id).files.delete(path, { signal });
    print({ deleted: path }, `${safeText(path)} is deleted.\n`);
  });
}

/** Nobody finds a part of it under its name. */
async function writeWhole(to: string, pieces: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const draft = `${to}.part`;
  try {
    await pipeline(pieces, createWriteStream(draft, { flags: "w", mode: 0o600 }), { signal });
    await rename(draft, to);
  } catch (thrown) {
    await rm(draft, { force: true });
    throw thrown;
  }
}
