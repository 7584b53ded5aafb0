// npm run faults: kills, cuts and starves a real server, and checks that nothing is lost, doubled or wrong.
import { randomBytes } from "node:crypto";
import { failpoints } from "../../src/lib/failpoint.ts";
import { endServers } from "../support/server/server-process.ts";
import { Checklist } from "./checklist.ts";
import { diskPart } from "./disk/disk.ts";
import { unmountDisks } from "./disk/small-disk.ts";
import { killsPart } from "./kill-loop/part.ts";
import { keepRigs, removeRigs, rigFolders } from "./kill-loop/rig.ts";
import { modelsPart } from "./models/model-faults.ts";
import { type FaultsOptions, type Part, readOptions, usage } from "./options.ts";
import { reconnectsPart } from "./reconnects/reconnects.ts";
import { createRandom, type Random } from "./random.ts";

type RunPart = (options: FaultsOptions, random: Random, checklist: Checklist) => Promise<void>;

const runs: Readonly<Record<Part, { readonly title: string; readonly run: RunPart }>> = {
  kills: { title: "the kill loop", run: killsPart },
  reconnects: { title: "followers that are cut off", run: reconnectsPart },
  models: { title: "model endpoints that go wrong", run: modelsPart },
  disk: { title: "a full disk, and two servers on one folder", run: diskPart },
};

async function faults(options: FaultsOptions): Promise<{ passed: number; failed: number }> {
  const count = { passed: 0, failed: 0 };
  for (const part of options.only) {
    const { title, run } = runs[part];
    const checklist = new Checklist();
    const started = performance.now();
    console.log(`\n== ${title} (seed ${options.seed})`);
    await run(options, createRandom(`${options.seed}/${part}`), checklist).catch((thrown: unknown) => {
      const story = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      checklist.violated("the part ran to its end", story);
    });
    for (const line of checklist.lines()) console.log(line);
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    const verdict = checklist.failed === 0 ? "ok" : "FAILED";
    console.log(`  ${verdict} in ${seconds} s, seed ${options.seed}`);
    if (checklist.failed > 0 || options.keep) {
      console.log(`  data, logs of sessions and of the server: ${rigFolders().join(" ")}`);
      keepRigs();
    } else removeRigs();
    count.passed += checklist.passed;
    count.failed += checklist.failed;
  }
  return count;
}

function endAtOnce(): void {
  endServers();
  unmountDisks();
  removeRigs();
  process.exit(130);
}

const options = readOptions(process.argv.slice(2), randomBytes(4).toString("hex"));
if (options.help) console.log(usage);
else if (options.list) console.log(failpoints.join("\n"));
else {
  process.on("SIGINT", endAtOnce);
  process.on("SIGTERM", endAtOnce);
  try {
    const { passed, failed } = await faults(options);
    console.log(`\n${passed} passed, ${failed} failed`);
    process.exitCode = failed > 0 ? 1 : 0;
  } finally {
    endServers();
  }
}
