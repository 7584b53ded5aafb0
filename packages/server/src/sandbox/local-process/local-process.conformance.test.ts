import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../lib/clock.ts";
import { sandboxAttacks } from "../sandbox-attacks.conformance.ts";
import { type CreateHarness, secret } from "../sandbox-harness.conformance.ts";
import { sandboxLives } from "../sandbox-lives.conformance.ts";
import { sandboxProcesses } from "../sandbox-processes.conformance.ts";
import { sandboxConformance } from "../sandbox.conformance.ts";
import { createLocalProcess } from "./local-process.ts";

const create: CreateHarness = async ({ clock = systemClock } = {}) => {
  const folder = await mkdtemp(join(tmpdir(), "berth-sandbox-"));
  const outsideFile = join(folder, "outside.txt");
  await writeFile(outsideFile, secret);
  const provider = createLocalProcess({
    dataDir: join(folder, "data"),
    clock,
    environment: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
  });
  return {
    provider,
    host: "local",
    outsideFile,
    readOutside: () => readFile(outsideFile, "utf8"),
    async close() {
      await provider.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

sandboxLives("local process", create);
sandboxConformance("local process", create);
sandboxProcesses("local process", create);
sandboxAttacks("local process", create);
