// Prints the agent's program: its files in order, without types, without imports of each other.
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";

const files = ["frames", "wire", "process-list", "pipes", "commands", "ports", "main"];
const importPattern = /^import\s*\{([^}]*)\}\s*from\s*"([^"]+)";$/gm;

const builtin = new Map<string, Set<string>>();
const bodies = files.map((name) => {
  const source = readFileSync(new URL(`./${name}.ts`, import.meta.url), "utf8");
  return stripTypeScriptTypes(source)
    .replaceAll(importPattern, (_, names: string, from: string) => {
      const wanted = names.split(",").map((part) => part.trim());
      if (!from.startsWith("./")) {
        const known = builtin.get(from) ?? new Set();
        for (const part of wanted) if (part !== "") known.add(part);
        builtin.set(from, known);
      }
      return "";
    })
    .replaceAll(/^export /gm, "");
});
const heads = [...builtin].map(
  ([from, names]) => `const { ${[...names].join(", ")} } = process.getBuiltinModule("${from}");\n`,
);
process.stdout.write(`"use strict";\n${heads.join("")}${bodies.join("\n").replaceAll(/\n\s*\n+/g, "\n")}`);
