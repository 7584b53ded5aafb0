// Prints the agent's program: main.ts and what it imports as one module, without types and without imports.
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";

const importPattern = /^import\s*\{([^}]*)\}\s*from\s*"([^"]+)";$/gm;

/** Names that the files take of Node's modules. */
const builtin = new Map<string, Set<string>>();
const seen = new Set<string>();
const bodies: string[] = [];

/** A file after all that it imports: what runs when it is loaded finds everything there. */
function add(file: URL): void {
  if (seen.has(file.href)) return;
  seen.add(file.href);
  const code = stripTypeScriptTypes(readFileSync(file, "utf8"));
  for (const [, names = "", from = ""] of code.matchAll(importPattern)) {
    if (from.startsWith("./")) add(new URL(from, file));
    else
      builtin.set(
        from,
        new Set([...(builtin.get(from) ?? []), ...names.split(",").map((name) => name.trim())]),
      );
  }
  bodies.push(code.replaceAll(importPattern, "").replaceAll(/^export /gm, ""));
}

add(new URL("./main.ts", import.meta.url));
const heads = [...builtin].map(([from, names]) => {
  const list = [...names].filter((name) => name !== "").join(", ");
  return `const { ${list} } = process.getBuiltinModule("${from}");\n`;
});
process.stdout.write(`"use strict";\n${heads.join("")}${bodies.join("\n").replaceAll(/\n\s*\n+/g, "\n")}`);
