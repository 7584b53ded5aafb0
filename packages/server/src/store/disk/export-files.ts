import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { BerthError } from "../../lib/errors.ts";
import type { ExportFiles } from "../export-files.ts";
import { ZipWriter } from "./zip-writer.ts";

const idFormat = /^exp_[0-9a-z]{26}$/;

/** Exports as files `exports/<id>.zip` of the data folder, for its owner alone. */
export function createDiskExports({ dataDir }: { readonly dataDir: string }): ExportFiles {
  const folder = join(dataDir, "exports");
  const place = (id: string) => {
    if (!idFormat.test(id)) throw new BerthError("internal", `${id} is no id of an export`);
    return join(folder, `${id}.zip`);
  };
  return {
    async create(id) {
      const path = place(id);
      const draft = `${path}.tmp`;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await rm(draft, { force: true });
      const file = await open(draft, "wx+", 0o600);
      const zip = new ZipWriter(file);
      return {
        add: (name, content) => zip.add(name, content),
        async finish() {
          const bytes = await zip.finish();
          await file.sync();
          await file.close();
          const digest = createHash("sha256");
          for await (const piece of createReadStream(draft)) digest.update(piece as Buffer);
          await rename(draft, path);
          return { bytes, sha256: digest.digest("hex") };
        },
        async abandon() {
          await file.close();
          await rm(draft, { force: true });
        },
      };
    },
    async read(id) {
      const file = await open(place(id), "r").catch((thrown: unknown) => {
        if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return null;
        throw thrown;
      });
      if (file === null) return null;
      const { size } = await file.stat();
      return {
        size,
        pieces: file.createReadStream({ highWaterMark: 256 * 1024 }) as AsyncIterable<Uint8Array>,
      };
    },
    async delete(id) {
      await rm(place(id), { force: true });
      await rm(`${place(id)}.tmp`, { force: true });
    },
  };
}
