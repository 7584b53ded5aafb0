import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { basename, dirname, join, relative } from "node:path";
import { type OutputChunk, type Plugin, rolldown } from "rolldown";
import { stateOf } from "./inputs.ts";

export interface Bundle {
  /** The folder for the files. */
  readonly build: string;
  /** The module to begin with, an absolute path. */
  readonly entry: string;
  /** Is told each source and its state, before it is read. */
  readonly note: (file: string, state: string) => void;
}

/**
 * What stays a package in node_modules: loaded by a `require` or a name that a bundler does not see, when it is needed first. undici
 * is imported as well; bundled it would be there twice.
 */
const outside = [/^undici$/, /^ajv(\/|$)/, /^@ai-sdk\//];

/**
 * Writes a module and all that it imports as few files, with maps beside them; what is imported by `import()` is a file of its own.
 * Returns the modules of the threads that it starts. They are bundled by themselves, so that a thread has only what it imports itself.
 */
export async function bundle({ build, entry, note }: Bundle): Promise<readonly string[]> {
  const threads = new Set<string>();
  const name = basename(entry, ".ts");
  const graph = await rolldown({
    input: { [name]: entry },
    platform: "node",
    external: outside,
    plugins: [agentOfSandboxes(note), notedSources(note), placesOfSources(build, threads)],
    // Schemas that a thread does not use are left out of it, and zod with them.
    treeshake: { moduleSideEffects: [{ test: /\/packages\/contract\/src\//, sideEffects: false }] },
    // Lines stay where they are; columns may move.
    checks: { sourcemapBroken: false },
  });
  try {
    const { output } = await graph.generate({
      dir: build,
      format: "esm",
      entryFileNames: "[name].mjs",
      chunkFileNames: `${name}-[name]-[hash].mjs`,
      sourcemap: "hidden",
    });
    mkdirSync(build, { recursive: true });
    for (const file of output) if (file.type === "chunk") writeChunk(build, file);
  } finally {
    await graph.close();
  }
  return [...threads];
}

function writeChunk(build: string, { fileName, code, map }: OutputChunk): void {
  // One character outside of Latin-1 makes V8 keep a whole file with two bytes for each character: 4 MB.
  const plain = leanImports(code).replaceAll(
    /[^\n\t -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  writeFileSync(join(build, fileName), plain);
  if (map === null) return;
  writeFileSync(join(build, `${fileName}.map`), JSON.stringify({ ...map, sourcesContent: [] }));
}

const importLine = /^import (.+) from "(?:node:)?([\w/]+)";$/;

/**
 * Takes Node's own modules as they are. `import` makes a second module of each and reads all that it exports, which loads more of Node:
 * 60 of the 370 ms of CPU of a start's main thread.
 */
function leanImports(code: string): string {
  const lines = code.split("\n");
  // They stand at the top, each in a line of its own.
  const end = lines.findIndex((line) => line !== "" && !/^(import |\/\/|#!)/.test(line));
  return lines
    .map((line, at) => {
      const [, wanted = "", name = ""] = (at < end ? importLine.exec(line) : null) ?? [];
      const [, own, named] = /^(?:([\w$]+)(?:, )?)?(\{.*\})?$/.exec(wanted) ?? [];
      if (wanted === "" || !isBuiltin(`node:${name}`) || (own ?? named) === undefined) return line;
      const parts = [own, named?.replaceAll(" as ", ": ")].filter((part) => part !== undefined);
      return `const ${parts.map((part) => `${part} = globalThis.process.getBuiltinModule("node:${name}")`).join(", ")};`;
    })
    .join("\n");
}

/** The program that runs in sandboxes is text made of sources: made here, a start need not wait for a process that makes it (0.1 s). */
function agentOfSandboxes(note: Bundle["note"]): Plugin {
  return {
    name: "agent-of-sandboxes",
    load: {
      filter: { id: /\/sandbox\/bubblewrap\/agent-script\.ts$/ },
      handler(id) {
        const folder = join(dirname(id), "agent");
        const sources = [id, ...readdirSync(folder).map((name) => join(folder, name))];
        for (const source of sources) note(source, stateOf(source));
        const assemble = join(folder, "assemble.ts");
        const text = execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", assemble], {
          encoding: "utf8",
          env: {},
        });
        return `export const agentScript = async () => ${JSON.stringify(text)};`;
      },
    },
  };
}

/** Sources, not packages: those change with the lockfile. */
function notedSources(note: Bundle["note"]): Plugin {
  return {
    name: "noted-sources",
    load: {
      filter: { id: { include: /^\//, exclude: /\/node_modules\// } },
      handler(id) {
        note(id, stateOf(id));
        return null;
      },
    },
  };
}

/**
 * The one place that knows where files are that are no modules: `import.meta` stays that of the source, so migrations, prompts,
 * package.json and scripts are read from the checkout as they are. Only the modules of threads are bundled ones.
 */
function placesOfSources(build: string, threads: Set<string>): Plugin {
  return {
    name: "places-of-sources",
    transform: {
      filter: { id: /\/packages\/[^/]+\/src\/.*\.ts$/, code: "import.meta." },
      handler(code, id) {
        const thread = /(?<=new Worker\()new URL\("\.\/([a-z-]+)\.ts", import\.meta\.url\)/g;
        const source = JSON.stringify(relative(build, id));
        const folder = JSON.stringify(`/${relative(build, dirname(id))}`);
        return code
          .replaceAll(thread, (_all, name: string) => {
            threads.add(join(dirname(id), `${name}.ts`));
            return `new URL("./${name}.mjs", ${here})`;
          })
          .replaceAll("import.meta.url", `new URL(${source}, ${here}).href`)
          .replaceAll("import.meta.dirname", `new URL(".", ${here}).pathname.slice(0, -1) + ${folder}`);
      },
    },
  };
}

/** The build's own file, written so that it is not taken for a source's. */
const here = `import.meta["url"]`;
