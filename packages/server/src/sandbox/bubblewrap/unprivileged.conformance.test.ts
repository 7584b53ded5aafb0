import { spawn, spawnSync } from "node:child_process";
import { chown, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { z } from "zod";

/** A user that owns nothing on the machine. */
const nobody = { uid: 64_001, gid: 64_001 };
const root = join(import.meta.dirname, "../../../../..");
const here = "packages/server/src/sandbox";
const suites = [
  `${here}/bubblewrap/bubblewrap.conformance.test.ts`,
  `${here}/bubblewrap/watched-quota.conformance.test.ts`,
  `${here}/workspaces/workspaces.test.ts`,
];
/** Of those, what a user of its own, images and control groups change; the rest is the same with and without root. */
const chosen = "lives of sandboxes|processes of sandboxes|SBX-10|SBX-13 ends|says why workspaces";
const patienceMs = 240_000;

const reportSchema = z.object({
  numPassedTests: z.number(),
  testResults: z.array(
    z.object({
      message: z.string(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-unprivileged-"));
  await chown(folder, nobody.uid, nobody.gid);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

// Who is not root runs all suites like that anyway.
it.runIf(process.getuid?.() === 0)(
  "a server that is not root makes sandboxes, ends them, and ends what fills a workspace",
  { timeout: patienceMs + 30_000 },
  async ({ skip }) => {
    const reads = spawnSync(process.execPath, ["-e", "process.exit(0)"], { ...nobody, cwd: root });
    if (reads.status !== 0) skip("other users cannot read this checkout");
    const file = join(folder, "report.json");
    const vitest = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--configLoader", "native"];
    const child = spawn(
      process.execPath,
      [...vitest, "-t", chosen, "--reporter=json", `--outputFile=${file}`, ...suites],
      {
        ...nobody,
        cwd: root,
        env: { PATH: process.env["PATH"] ?? "", HOME: folder, TMPDIR: folder },
        stdio: ["ignore", "ignore", "pipe"],
        timeout: patienceMs,
        killSignal: "SIGKILL",
      },
    );
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    await new Promise((resolve) => child.once("close", resolve));
    const text = await readFile(file, "utf8").catch(() => "{}");
    const read = reportSchema.safeParse(JSON.parse(text));
    if (!read.success) throw new Error(`the suites did not run: ${said}`);
    const tests = read.data.testResults.flatMap(({ assertionResults }) => assertionResults);
    const failed = tests.filter(({ status }) => status === "failed");
    expect(
      failed.map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages.join("\n")}`),
    ).toEqual([]);
    expect(read.data.testResults.map(({ message }) => message).filter((message) => message !== "")).toEqual(
      [],
    );
    expect(child.exitCode).toBe(0);
    const passed = tests.filter(({ status }) => status === "passed").map(({ fullName }) => fullName);
    expect(passed.length).toBe(read.data.numPassedTests);
    // Every suite was there, and knew that it was not root.
    for (const part of [
      "lives of",
      "processes of",
      "SBX-13",
      "ends what fills it in the background",
      "says why",
    ])
      expect(passed.filter((name) => name.includes(part))).not.toEqual([]);
  },
);
