// Takes the steps on a data folder with a failpoint armed, saying which are done. Started, and outlived, by a test.
import { openSqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { steps, stepsClock } from "./steps.ts";

const [dataDir = "", failpoint = "", until = ""] = process.argv.slice(2);
const store = await openSqliteStore({
  dataDir,
  clock: stepsClock(),
  failpoint: failpoint === "" ? null : failpoint,
});
process.stdout.write("open\n");
for (const step of steps) {
  await step.run(store);
  process.stdout.write(`${step.name}\n`);
  // It is killed here: nothing may be done meanwhile.
  if (step.name === until) break;
}
// Holds the folder until it is killed.
setInterval(() => undefined, 60_000);
