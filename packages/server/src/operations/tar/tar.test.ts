import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rawTar } from "../../../test/support/sandbox/hostile-tar.ts";
import { BerthError } from "../../lib/errors.ts";
import { readTar, type TarLimits } from "./read-tar.ts";
import { padded, writeHeader } from "./tar-header.ts";

const run = promisify(execFile);
const limits: TarLimits = { entries: 1_000, bytes: 64 * 1024 * 1024, fileBytes: 8 * 1024 * 1024 };
const names = {
  short: "a.txt",
  deep: `${"folder/".repeat(30)}file`,
  long: `${"n".repeat(200)}/${"m".repeat(200)}`,
  unicode: "Übung/日本 🙂",
  lines: "two\nlines and = signs",
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-tar-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function read(data: Uint8Array, wanted: TarLimits = limits) {
  const found: { path: string; kind: string; text: string }[] = [];
  for await (const entry of readTar(data, wanted)) {
    const text = entry.kind === "file" ? Buffer.from(await entry.read()).toString() : "";
    found.push({ path: entry.path, kind: entry.kind, text });
  }
  return found;
}

/** Code of the error that an archive is refused with. */
async function refusalOf(data: Uint8Array): Promise<string> {
  return await read(data).then(
    () => "none",
    (thrown: unknown) => (thrown instanceof BerthError ? thrown.code : String(thrown)),
  );
}

describe("reading", { timeout: 60_000 }, () => {
  it.each([
    ["ustar", ["short", "deep"]],
    ["gnu", Object.keys(names)],
    ["pax", Object.keys(names)],
  ] as const)("takes what tar wrote in the format %s, packed or not", async (format, which) => {
    const paths = which.map((name) => names[name as keyof typeof names]);
    for (const path of paths) {
      await mkdir(dirname(join(folder, "in", path)), { recursive: true });
      await writeFile(join(folder, "in", path), `content of ${path}`);
    }
    await symlink("a.txt", join(folder, "in", "link"));
    const archive = join(folder, "made.tar");
    await run("tar", [`--format=${format}`, "-C", join(folder, "in"), "-cf", archive, "."]);
    const plain = await readFile(archive);
    for (const data of [plain, gzipSync(plain)]) {
      const found = await read(data);
      const files = found.filter(({ kind }) => kind === "file");
      expect(new Map(files.map(({ path, text }) => [path, text]))).toEqual(
        new Map(paths.map((path) => [`./${path}`, `content of ${path}`])),
      );
      expect(found.filter(({ kind }) => kind === "link").map(({ path }) => path)).toEqual(["./link"]);
    }
  });

  it("skips the bytes that nobody asks for", async () => {
    const data = rawTar([
      { name: "a", data: "x".repeat(5_000) },
      { name: "b", data: "y" },
    ]);
    const paths: string[] = [];
    for await (const { path } of readTar(data, limits)) paths.push(path);
    expect(paths).toEqual(["a", "b"]);
  });

  it("takes no half archives, no noise and no lies", async () => {
    const whole = rawTar([{ name: "a", data: "x".repeat(2_000) }]);
    const wrong = {
      noise: Buffer.alloc(2_048, 7),
      "half a header": whole.subarray(0, 300),
      "half a file": whole.subarray(0, 1_500),
      "half of what gzip packed": gzipSync(whole).subarray(0, 40),
      "a wrong sum": Buffer.concat([Buffer.from("b"), whole.subarray(1)]),
      "a size of letters": rawTar([{ name: "a", size: Number.NaN }]),
      "an unknown kind": rawTar([{ name: "a", type: "Z" }]),
      "attributes without an end": rawTar([{ name: "a", type: "x", data: "999 path=b\n" }]),
      "attributes of noise": rawTar([{ name: "a", type: "x", data: "path=b" }]),
      "a name that is no text": rawTar([{ name: "a", type: "L", data: Uint8Array.of(0xff, 0xfe) }]),
      "attributes of a megabyte": rawTar([{ name: "a", type: "x", data: new Uint8Array(1_048_576) }]),
    };
    for (const [what, data] of Object.entries(wrong))
      expect([what, await refusalOf(data)]).toEqual([what, "archive_invalid"]);
    expect(await read(new Uint8Array(0))).toEqual([]);
  });

  it("SBX-07 stops at its limits of bytes, of one file and of entries, whatever a header says", async () => {
    const bomb = gzipSync(rawTar([{ name: "zeros", data: new Uint8Array(100 * 1024 * 1024) }]));
    expect(bomb.length).toBeLessThan(110 * 1024);
    const large = { code: "archive_too_large" };
    await expect(read(bomb, { ...limits, fileBytes: 1e9 })).rejects.toMatchObject(large);
    await expect(read(bomb)).rejects.toMatchObject(large);
    await expect(read(rawTar([{ name: "a", size: 8e9 }]))).rejects.toMatchObject(large);
    const many = rawTar(Array.from({ length: 1_001 }, (_, at) => ({ name: `f${at}` })));
    await expect(read(many)).rejects.toMatchObject(large);
    const about = Array.from({ length: 1_001 }, () => ({ name: "x", type: "g", data: "" }));
    await expect(read(rawTar(about))).rejects.toMatchObject(large);
  });

  it("SBX-07 holds one file at a time of a bomb of many", async () => {
    const mebibyte = 1024 * 1024;
    const zeros = new Uint8Array(4 * mebibyte);
    const bomb = gzipSync(rawTar(Array.from({ length: 25 }, (_, at) => ({ name: `f${at}`, data: zeros }))));
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const held = () => {
      collect();
      return process.memoryUsage().arrayBuffers;
    };
    await expect.poll(held).toBeLessThan(20 * mebibyte);
    let files = 0;
    for await (const entry of readTar(bomb, { ...limits, bytes: 200 * mebibyte })) {
      expect(await entry.read()).toHaveLength(zeros.length);
      // What is given up is given back a little later.
      await expect.poll(held).toBeLessThan(20 * mebibyte);
      files++;
    }
    expect(files).toBe(25);
  });

  it("never does anything but read or refuse", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3_000 }), fc.nat(2_999), async (noise, at) => {
        const data = rawTar([
          { name: "a/b", data: "x".repeat(900) },
          { name: "c", type: "x", data: "12 path=efg\n" },
        ]);
        const from = at % data.length;
        data.set(noise.subarray(0, data.length - from), from);
        expect(await refusalOf(data)).toMatch(/^(none|archive_invalid|archive_too_large)$/);
      }),
      { numRuns: 200 },
    );
  });
});

describe("writing", () => {
  it("makes what tar and the reader understand, whatever the names", async () => {
    const pieces: Uint8Array[] = [];
    for (const path of Object.values(names)) {
      const data = Buffer.from(`content of ${path}`);
      pieces.push(writeHeader({ path, kind: "file", size: data.length, modifiedMs: 1e12 }), padded(data));
    }
    pieces.push(writeHeader({ path: "empty", kind: "directory", size: 0, modifiedMs: 1e12 }));
    const data = Buffer.concat([...pieces, new Uint8Array(1_024)]);
    const wanted = Object.values(names).map((path) => [path, `content of ${path}`]);
    const found = await read(data);
    expect(found.filter(({ kind }) => kind === "file").map(({ path, text }) => [path, text])).toEqual(wanted);
    await writeFile(join(folder, "made.tar"), data);
    await mkdir(join(folder, "out"));
    await run("tar", ["-C", join(folder, "out"), "-xf", join(folder, "made.tar")]);
    for (const [path = "", text] of wanted)
      expect(await readFile(join(folder, "out", path), "utf8")).toBe(text);
  });

  it.each([8 * 1024 ** 3 - 1, 8 * 1024 ** 3, 3 * 1024 ** 4 + 5])(
    "says a size of %d as tar reads it",
    async (size) => {
      const path = join(folder, "large.tar");
      await writeFile(path, writeHeader({ path: "large", kind: "file", size, modifiedMs: 1e12 }));
      // It lists what begins, and only then misses the rest.
      const { stdout } = await run("sh", ["-c", 'tar -tvf "$0" 2>/dev/null || true', path]);
      expect(stdout).toMatch(new RegExp(` ${size} .*large\n$`));
    },
  );

  it("gives back any name and size", async () => {
    const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 150 }).filter((text) => {
      const fits = Buffer.byteLength(text) <= 255 && text.isWellFormed();
      return fits && !/[/\0]/.test(text) && text !== "." && text !== "..";
    });
    await fc.assert(
      fc.asyncProperty(fc.array(name, { minLength: 1, maxLength: 4 }), fc.nat(1_500), async (parts, size) => {
        const path = parts.join("/");
        const header = writeHeader({ path, kind: "file", size, modifiedMs: 0 });
        const data = Buffer.concat([header, padded(Buffer.alloc(size, "z"))]);
        expect(await read(data)).toEqual([{ path, kind: "file", text: "z".repeat(size) }]);
      }),
      { numRuns: 200 },
    );
  });
});
