import { execFileSync } from "node:child_process";
import { existsSync, rmdirSync } from "node:fs";
import { failpoints } from "../../../src/lib/failpoint.ts";
import { bodyOf, type Door, send } from "../../support/server/api.ts";
import type { Checklist } from "../checklist.ts";
import { type Fate, Keeper } from "../kill-loop/keeper.ts";
import type { PartScene } from "../part.ts";
import { repository } from "../repository.ts";
import { sleep } from "../sleep.ts";
import { type Promised, useUntilDeath } from "./life.ts";
import { groupsBeside, isEmpty, type Remains, remainsOf, sandboxesOn, storyOf } from "./remains.ts";

export const sandboxRules = {
  seen: "the search for remains finds a sandbox that lives",
  nothing:
    "after a kill and two starts no process, mount, control group, device, socket or folder of a sandbox is left",
  equal: "what the provider has is what the store says is live",
  one: "a session has one sandbox at most, and every allocation that is over says why",
  files: "what a command had written before the kill is still there",
  works: "a session gets a sandbox again after the kill",
} as const;

const never = { failpoint: null, killAfterMs: null, from: "ready" } as const;
const sessionCount = 4;

/** Kills the server at every failpoint of sandboxes and their allocation, and at any time, and looks what is left on the machine. */
export async function sandboxesPart(scene: PartScene): Promise<void> {
  const { checklist, options, random, say } = scene;
  if (!canIsolate(scene)) return;
  checklist.expectCases(...Object.values(sandboxRules));
  const points = failpoints.filter((name) => /^(allocation|sandbox)\./.test(name));
  const named = options.short ? points : [...points, ...points];
  const fates = [
    ...named.map(
      (name) => ({ failpoint: `${name}@${random.int(1, 3)}`, killAfterMs: 8_000, from: "ready" }) as const,
    ),
    ...Array.from({ length: options.short ? 2 : 20 }, () => ({
      failpoint: null,
      killAfterMs: random.int(50, 2_500),
      from: "ready" as const,
    })),
  ];
  const { hits, sandboxes } = await killWhileSandboxesLive(scene, {
    root: repository,
    name: "sandboxes",
    fates,
  });
  say(
    `${fates.length} kills, ${hits} of them at a failpoint of ${points.length}; ${sandboxes} sandboxes lived`,
  );
}

/** Says so where there is no bubblewrap; there it is a fault only where everything counts as present. */
export function canIsolate({ checklist, say }: PartScene): boolean {
  if (existsSync("/usr/bin/bwrap")) return true;
  if (process.env["CI"]) checklist.violated(sandboxRules.seen, "bubblewrap is not installed");
  else say("SKIPPED: bubblewrap is not installed");
  return false;
}

interface SandboxKills {
  /** Of the server's source. */
  readonly root: string;
  readonly name: string;
  readonly fates: readonly Fate[];
  /** Asked after each kill. */
  readonly enough?: () => boolean;
}

/** One server after another, each until its fate; what is left and what was promised is checked after each. */
export async function killWhileSandboxesLive(
  scene: Pick<PartScene, "checklist" | "random" | "rig">,
  { root, name, fates, enough = () => false }: SandboxKills,
): Promise<{ readonly hits: number; readonly sandboxes: number }> {
  const { checklist, random, rig: newRig } = scene;
  const env = { BERTH_SANDBOX: "bubblewrap", BERTH_SANDBOX_WARM: "1", BERTH_SANDBOXES_PER_USER: "8" };
  const rig = newRig({ name, env });
  const keeper = new Keeper({ ...rig, root, checklist, onReady: () => {} });
  const ids = new Set<string>();
  const note = () => sandboxesOn(rig.dataDir).forEach((id) => ids.add(id));
  let hits = 0;
  try {
    const sessions = await underServer(keeper, async (door) => await makeSessions(door));
    for (const fate of fates) {
      const dying = keeper.live(fate);
      let dead = false;
      void dying.finally(() => (dead = true));
      const door = await Promise.race([keeper.door(), dying.then(() => null)]);
      const onSandbox = (id: string) => void ids.add(id);
      if (door !== null) {
        const lives = useUntilDeath({ door, random, sessions, onSandbox, stopping: () => dead });
        const seen = await seenWhileAlive(rig.dataDir, ids, () => dead);
        if (seen !== null) checklist.check(sandboxRules.seen, !isEmpty(seen), () => "it found nothing");
        await lives;
      }
      const ended = await dying;
      note();
      if (ended === "failpoint") hits++;
      // The first start sweeps; the second finds nothing more to do.
      await underServer(keeper, async (at) => await checkAfter(checklist, at, sessions));
      note();
      const left = remainsOf(rig.dataDir, ids);
      const story = () => `${fate.failpoint ?? fate.killAfterMs}\n${storyOf(left)}`;
      checklist.check(sandboxRules.nothing, isEmpty(left), story);
      if (enough()) break;
    }
  } finally {
    cleanUp(remainsOf(rig.dataDir, ids));
  }
  return { hits, sandboxes: ids.size };
}

/** The first look that finds something, or null when the server died before. */
async function seenWhileAlive(
  dataDir: string,
  ids: ReadonlySet<string>,
  dead: () => boolean,
): Promise<Remains | null> {
  while (!dead()) {
    const remains = remainsOf(dataDir, ids);
    if (remains.processes.length > 0) return remains;
    await sleep(50);
  }
  return null;
}

/** Starts a server, hands out its door, and ends it in an orderly way. */
async function underServer<T>(keeper: Keeper, use: (door: Door) => Promise<T>): Promise<T> {
  const life = keeper.live(never);
  try {
    const door = await Promise.race([keeper.door(), life.then(() => null)]);
    if (door === null) throw new Error("the server did not start; its log says why");
    return await use(door);
  } finally {
    await keeper.stop();
    await life;
  }
}

async function makeSessions(door: Door): Promise<readonly Promised[]> {
  const agent = { name: "hand", model: "demo/tour", tools: ["bash_*"] };
  bodyOf(await send(door, { method: "POST", path: "/agents", body: agent }), 201);
  return await Promise.all(
    Array.from({ length: sessionCount }, async () => {
      const body = { agent: "hand" };
      const { id } = bodyOf<{ id: string }>(
        await send(door, { method: "POST", path: "/sessions", body }),
        201,
      );
      return { sessionId: id, lines: [], written: 0 };
    }),
  );
}

interface Listed<T> {
  readonly items: readonly T[];
}

async function checkAfter(checklist: Checklist, door: Door, sessions: readonly Promised[]): Promise<void> {
  for (const session of sessions) {
    const { sessionId } = session;
    const given = await send(door, { method: "POST", path: "/sandboxes", body: { sessionId } });
    const story = () => `${given.status} ${JSON.stringify(given.json)}`;
    if (!checklist.check(sandboxRules.works, given.status < 300, story, sessionId)) continue;
    const { id } = given.json as { id: string };
    const body = { command: "cat log 2>/dev/null; true" };
    const ran = await send(door, { method: "POST", path: `/sandboxes/${id}/exec`, body });
    const there = new Set(((ran.json as { output?: string } | null)?.output ?? "").split("\n"));
    const lost = session.lines.filter((line) => !there.has(line));
    checklist.check(
      sandboxRules.files,
      lost.length === 0,
      () => `lines ${lost.join(", ")} are gone`,
      sessionId,
    );
  }
  const { live, story } = await agreed(door);
  checklist.check(sandboxRules.equal, story === null, () => story ?? "");
  const holders = live.flatMap((one) => one.sessions.map(({ sessionId }) => sessionId));
  checklist.check(sandboxRules.one, new Set(holders).size === holders.length, () => holders.join(", "));
  const history = bodyOf<Listed<{ id: string; isActive: boolean; endReason: string | null }>>(
    await send(door, { method: "GET", path: "/sandbox-allocations?limit=100" }),
  ).items;
  for (const { id, isActive, endReason } of history)
    checklist.check(
      sandboxRules.one,
      isActive === (endReason === null),
      () => `allocation ${id}: ${endReason}`,
    );
}

interface Held {
  readonly id: string;
  readonly sessions: readonly { readonly sessionId: string }[];
}

/** What is live in the store, and how the provider differs. A warm one that is being made is in neither count yet, so it is asked again. */
async function agreed(door: Door): Promise<{ live: readonly Held[]; story: string | null }> {
  for (let asked = 1; ; asked++) {
    const held = await send(door, { method: "GET", path: "/sandboxes?limit=100" });
    const live = bodyOf<Listed<Held>>(held).items;
    const { sandbox } = bodyOf<{ sandbox: { warm: number; hosts: readonly { live: number }[] } }>(
      await send(door, { method: "GET", path: "/system" }),
    );
    const made = sandbox.hosts.reduce((sum, host) => sum + host.live, 0);
    if (live.length + sandbox.warm === made) return { live, story: null };
    const story = `the store has ${live.length} and ${sandbox.warm} warm, the provider ${made}`;
    if (asked === 60) return { live, story };
    await sleep(100);
  }
}

/** Leaves the machine as it was, whatever was found. */
function cleanUp({ processes, mounts, groups }: Remains): void {
  for (const pid of processes) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }
  for (const line of mounts.toReversed()) {
    const place = line.split(" ")[4];
    if (place !== undefined) execFileSync("umount", ["--lazy", place], { stdio: "ignore" });
  }
  for (const group of groupsBeside(groups).toReversed()) {
    try {
      rmdirSync(group);
    } catch {
      // Something in it is still ending: it is empty then, and no more than a name.
    }
  }
}
