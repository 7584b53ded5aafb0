import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBubblewrap } from "../../../test/support/sandbox/bubblewrap-rig.ts";
import { systemClock } from "../../lib/clock.ts";
import { sandboxAttacks } from "../sandbox-attacks.conformance.ts";
import { type CreateHarness, secret } from "../sandbox-harness.conformance.ts";
import { sandboxLives } from "../sandbox-lives.conformance.ts";
import { sandboxProcesses } from "../sandbox-processes.conformance.ts";
import { sandboxConformance } from "../sandbox.conformance.ts";

const create: CreateHarness = async ({ clock = systemClock } = {}) => {
  const folder = await mkdtemp(join(tmpdir(), "berth-bubblewrap-"));
  const outsideFile = join(folder, "outside.txt");
  await writeFile(outsideFile, secret);
  const { provider, close } = await makeBubblewrap({ dataDir: join(folder, "data"), clock });
  return {
    provider,
    host: "local",
    // Nothing of the host but its system can be seen.
    outsideFile: null,
    readOutside: () => readFile(outsideFile, "utf8"),
    async close() {
      await close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

sandboxLives("bubblewrap", create);
sandboxConformance("bubblewrap", create);
sandboxProcesses("bubblewrap", create);
sandboxAttacks("bubblewrap", create);
