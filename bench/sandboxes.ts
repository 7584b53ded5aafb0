// T14: what a sandbox of bubblewrap costs on this machine: until a session has one (warm, cold), each command beside a plain process,
// files beside the plain file system, many at once, and their end.
//   npm run bench -- sandboxes [--rounds 20] [--execs 200] [--many 100] [--json file] [--dir folder]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { freemem } from "node:os";
import { join } from "node:path";
import { type About, about } from "./support/about.ts";
import { readOptions } from "./support/options.ts";
import { makeFolder } from "./support/own-folder.ts";
import { type Claims, openClaims } from "./support/sandboxes/claims.ts";
import { openProvider, type ProviderBench } from "./support/sandboxes/provider.ts";
import { type Samples, samplesOf, timed } from "./support/sandboxes/samples.ts";
import { tell } from "./support/tell.ts";

const options = readOptions({ rounds: 20, execs: 200, many: 100 });
const { rounds, execs, many } = options;
const stops: (() => Promise<void>)[] = [];
const folder = makeFolder(options.dir, "berth-bench-sandboxes-");
const mebibyte = 1024 * 1024;

interface Figures {
  readonly claims: Readonly<Record<"warm" | "cold" | "coldNew", Samples>>;
  readonly exec: Readonly<Record<"plain" | "sandbox" | "oneshot", Samples>>;
  readonly files: Readonly<
    Record<"read" | "write", { readonly plainMs: number; readonly sandboxMs: number }>
  >;
  readonly many: {
    readonly made: number;
    readonly perSecond: number;
    readonly memoryMbEach: number;
    readonly destroyMs: number;
  };
}

async function plain(): Promise<void> {
  const child = spawn("/bin/bash", ["-c", "echo hi"], { stdio: ["ignore", "pipe", "ignore"] });
  child.stdout.resume();
  await once(child, "close");
}

/** As a client asks for it: HTTP, the store's commits, the policy, the workspace and the look whether it answers are all in it. */
async function claims(cold: Claims, warm: Claims): Promise<Figures["claims"]> {
  const measured: Record<keyof Figures["claims"], number[]> = { warm: [], cold: [], coldNew: [] };
  const claim = async (of: Claims, session: string, into: number[]) => {
    const given = await of.claim(session);
    if (given === null) throw new Error("there is no room for one sandbox");
    await of.run(given.sandbox, "echo x > file");
    await of.take(given.sandbox);
    into.push(given.ms);
  };
  for (let round = 0; round <= rounds; round++) {
    const session = await cold.session();
    await claim(cold, session, measured.coldNew);
    await claim(cold, session, measured.cold);
    await warm.warm();
    await claim(warm, await warm.session(), measured.warm);
    // The first of each finds a server that has never made one.
    if (round === 0) for (const all of Object.values(measured)) all.length = 0;
  }
  return {
    warm: samplesOf(measured.warm),
    cold: samplesOf(measured.cold),
    coldNew: samplesOf(measured.coldNew),
  };
}

/** Plain processes and commands in a sandbox take turns, so that both see the same machine. */
async function commands({ sandbox }: ProviderBench): Promise<Figures["exec"]> {
  const inside = (oneshot: boolean) =>
    sandbox.exec({ command: "echo hi", timeoutMs: 10_000, ...(oneshot && { oneshot }) });
  const measured: Record<keyof Figures["exec"], number[]> = { plain: [], sandbox: [], oneshot: [] };
  await timed(20, () => inside(false));
  for (let round = 0; round < 10; round++) {
    measured.plain.push(...(await timed(execs / 10, plain)));
    measured.sandbox.push(...(await timed(execs / 10, () => inside(false))));
    measured.oneshot.push(...(await timed(2, () => inside(true))));
  }
  return {
    plain: samplesOf(measured.plain),
    sandbox: samplesOf(measured.sandbox),
    oneshot: samplesOf(measured.oneshot),
  };
}

/** 64 files of 1 MiB through the port and through node:fs, in turns. Milliseconds for all, median of five. */
async function files({ sandbox }: ProviderBench): Promise<Figures["files"]> {
  const data = Buffer.alloc(mebibyte, "x");
  const place = join(folder, "plain");
  mkdirSync(place);
  const all = async (one: (name: string) => unknown) => {
    const began = performance.now();
    for (let index = 0; index < 64; index++) await one(`file-${index}`);
    return performance.now() - began;
  };
  const measured = {
    write: { plain: [] as number[], sandbox: [] as number[] },
    read: { plain: [] as number[], sandbox: [] as number[] },
  };
  for (let round = 0; round < 5; round++) {
    measured.write.plain.push(await all((name) => writeFileSync(join(place, name), data)));
    measured.write.sandbox.push(await all((name) => sandbox.files.write(name, data)));
    measured.read.plain.push(await all((name) => readFileSync(join(place, name))));
    measured.read.sandbox.push(await all((name) => sandbox.files.read(name)));
  }
  const pair = ({ plain: a, sandbox: b }: { plain: number[]; sandbox: number[] }) => ({
    plainMs: samplesOf(a).p50,
    sandboxMs: samplesOf(b).p50,
  });
  return { read: pair(measured.read), write: pair(measured.write) };
}

/** Admission counts limits, and lets 100 of these in where there are 20 GiB of memory. */
const crowdMemory = "160MiB";

/** `--many`, or as many as admission lets in, each with its own session; then all are ended at once. */
async function crowd(server: Claims): Promise<Figures["many"]> {
  const sessions: string[] = [];
  while (sessions.length < many) sessions.push(await server.session());
  const before = freemem();
  const began = performance.now();
  let given = 0;
  for (const session of sessions) if ((await server.claim(session)) !== null) given += 1;
  const seconds = (performance.now() - began) / 1_000;
  // Where there is no room for more, the oldest ones were ended for the newest.
  const made = await server.live();
  const memoryMbEach = (before - freemem()) / mebibyte / made.length;
  const end = performance.now();
  await Promise.all(made.map((sandbox) => server.take(sandbox)));
  return {
    made: made.length,
    perSecond: given / seconds,
    memoryMbEach,
    destroyMs: performance.now() - end,
  };
}

function report(figures: Figures, where: About, isolation: string): void {
  const { claims: claim, exec, files: file, many: crowded } = figures;
  const row = (name: string, { p50, p99 }: Samples, beside = "") => [
    name,
    `${p50.toFixed(1)} ms`,
    `${p99.toFixed(1)} ms`,
    beside,
  ];
  const whole = ({ plainMs, sandboxMs }: { plainMs: number; sandboxMs: number }) => [
    `${sandboxMs.toFixed(0)} ms`,
    "",
    `${(sandboxMs / plainMs).toFixed(1)} of plain files`,
  ];
  const ofPlain = `${(exec.sandbox.p50 / exec.plain.p50).toFixed(2)} of a plain process`;
  tell({
    about: where,
    settings: `${rounds} claims of each kind, ${execs} commands, 64 files of 1 MiB, up to ${many} of ${crowdMemory} at once, files in ${options.dir}; ${isolation}`,
    results: figures,
    rows: [
      ["what", "p50", "p99", "beside"],
      row("claim, a warm one is there", claim.warm),
      row("claim, none is there, a new workspace", claim.coldNew),
      row("claim, none is there, a workspace with files", claim.cold),
      row("command, plain process", exec.plain),
      row("command, in the sandbox", exec.sandbox, ofPlain),
      row("command, in a sandbox of its own", exec.oneshot),
      ["64 MiB in 64 files, read", ...whole(file.read)],
      ["64 MiB in 64 files, written", ...whole(file.write)],
    ],
    verdicts: [
      { id: "T14", what: "claim, warm, ms p50", value: claim.warm.p50, target: 20, beyond: 8 },
      { id: "T14", what: "claim, cold, new, ms p50", value: claim.coldNew.p50, target: 100, beyond: 60 },
      { id: "T14", what: "claim, cold, ms p50", value: claim.cold.p50, target: 100, beyond: 60 },
      { id: "T14", what: "command, ms p50", value: exec.sandbox.p50, target: 3, beyond: 2 },
      {
        id: "",
        what: `all ${crowded.made} ended at once, ms`,
        value: crowded.destroyMs,
        target: 2_000,
        beyond: null,
      },
    ],
    notes: [
      `${crowded.made} at once: ${crowded.perSecond.toFixed(1)} a second, ${crowded.memoryMbEach.toFixed(1)} MB each.`,
    ],
    options,
  });
}

function opened<T extends { stop(): Promise<void> }>(one: T): T {
  stops.push(() => one.stop());
  return one;
}
try {
  const where = about();
  const provider = opened(await openProvider(join(folder, "provider")));
  const [exec, file] = [await commands(provider), await files(provider)];
  const cold = opened(await openClaims(join(folder, "cold"), { warm: 0, most: 4 }));
  const claim = await claims(cold, opened(await openClaims(join(folder, "warm"), { warm: 1, most: 4 })));
  const crowded = opened(
    await openClaims(join(folder, "many"), { warm: 0, most: many, memory: crowdMemory }),
  );
  const figures: Figures = { claims: claim, exec, files: file, many: await crowd(crowded) };
  report(figures, where, provider.about);
} finally {
  for (const stop of stops.toReversed()) await stop();
  rmSync(folder, { recursive: true, force: true });
}
