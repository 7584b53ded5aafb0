import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { rawTar } from "../../support/sandbox/hostile-tar.ts";
import type { Finding, Row } from "../row.ts";
import type { RemoteFiles, Runner } from "../target.ts";

type Place = Runner & { readonly files: RemoteFiles };

const secret = "sentinel of the archive";
const mebibyte = 1024 * 1024;

/** Names that lead to a file outside, straight and through links: of the archive, and of the workspace. */
async function climb(place: Place, outside: string): Promise<Finding> {
  const folder = join(outside, "archive-outside");
  const sentinel = join(folder, "file");
  await mkdir(folder, { recursive: true });
  await writeFile(sentinel, secret);
  try {
    await place.run(`mkdir -p to; ln -sfn '${folder}' laid; ln -sfn '${sentinel}' to/laid`);
    const data = "from the archive";
    const archives = [
      [{ name: `../${folder.slice(outside.length + 1)}/file`, data }],
      [{ name: `${"../".repeat(12)}${sentinel.slice(1)}`, data }],
      [{ name: sentinel, data }],
      [
        { name: "link", type: "2", link: folder },
        { name: "link/file", data },
      ],
      [
        { name: "hard", type: "1", link: sentinel },
        { name: "hard", data },
      ],
      [{ name: "laid/file", data }],
      [{ name: "laid/new", data }],
      [{ name: "to/laid", data }],
      [{ name: "a\0b/../../x", data }],
      [{ name: "device", type: "3" }],
    ];
    const answers: string[] = [];
    for (const entries of archives) {
      const archive = new Uint8Array(rawTar(entries));
      answers.push(await place.files.extract(archive).then(() => "taken", String));
    }
    const leaks = answers.filter((said) => /\b5\d\d\b/.test(said)).map((said) => `it broke: ${said}`);
    if ((await readFile(sentinel, "utf8")) !== secret)
      leaks.push("a file outside was written through an archive");
    if ((await readdir(folder)).length > 1) leaks.push("a file was made outside");
    const refused = answers.filter((said) => said !== "taken").length;
    return { leaks, seen: `${archives.length} archives that climb, ${refused} refused, nothing outside` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What grows when it is unpacked, has too many entries or says the wrong size is refused as a whole; of two with one name the last one stays. */
async function explode(files: RemoteFiles): Promise<Finding> {
  const zeros = new Uint8Array(270 * mebibyte);
  const bombs: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
    "270 MiB in 270 KB": await pack(rawTar([{ name: "bomb/whole", data: zeros }])),
    "300 MiB in small files": await pack(
      rawTar(
        Array.from({ length: 10 }, (_, at) => ({
          name: `bomb/${at}`,
          data: zeros.subarray(0, 30 * mebibyte),
        })),
      ),
    ),
    "20,000 entries": await pack(rawTar(Array.from({ length: 20_000 }, (_, at) => ({ name: `bomb/${at}` })))),
    "a size that is not there": await pack(rawTar([{ name: "bomb/short", data: "x", size: 8 ** 10 }])),
  };
  const leaks: string[] = [];
  for (const [name, archive] of Object.entries(bombs)) {
    const said = await files.extract(archive).then(() => "taken", String);
    if (!/\b4\d\d\b/.test(said)) leaks.push(`${name}: ${said.slice(0, 100)}`);
  }
  if ((await files.list("")).some((path) => path.startsWith("bomb")))
    leaks.push("a part of a bomb was written");
  await files.extract(
    new Uint8Array(
      rawTar([
        { name: "twice", data: "first" },
        { name: "./twice", data: "last" },
      ]),
    ),
  );
  const kept = await files.read("twice");
  if (kept !== "last") leaks.push(`of two files with one name ${kept.slice(0, 20)} stayed`);
  return { leaks, seen: `${Object.keys(bombs).length} bombs refused` };
}

const packing = promisify(gzip);
// Not at a stroke: the connections to the server would time out meanwhile.
const pack = async (bytes: Uint8Array) => new Uint8Array(await packing(bytes, { level: 1 }));

export const archiveRows: readonly Row[] = [
  {
    id: "SBX-07",
    name: "Archives that climb or explode",
    run: async (target) => {
      const tenant = await target.tenant();
      const climbed = await climb(tenant, target.outside);
      const before = await target.serverBytes();
      const exploded = await explode(tenant.files);
      const grown = Math.round(((await target.serverBytes()) - before) / mebibyte);
      const leaks = [...climbed.leaks, ...exploded.leaks];
      if (grown > 150) leaks.push(`the server grew by ${grown} MiB`);
      return { leaks, seen: `${climbed.seen}; ${exploded.seen}` };
    },
    naive: (host) => climb(host, host.outside),
  },
];
