#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Node keeps the stripped and compiled modules between starts.
enableCompileCache();

const { runCli } = await import("./cli/index.ts");
process.exitCode = await runCli(process.argv.slice(2));
