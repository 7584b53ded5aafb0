import { type Finding, linesOf, needsCgroup, type Row } from "../row.ts";
import type { Runner, Target, Tenant } from "../target.ts";

const most = 400;

// At most 400 children, which end with their parent's command or after 20 s.
const forks = `
import os, signal, time
children = []
for _ in range(${most}):
    try: child = os.fork()
    except OSError: break
    if child == 0:
        signal.alarm(20); time.sleep(20); os._exit(0)
    children.append(child)
print("FORKED", len(children), flush=True)
for child in children: os.kill(child, signal.SIGKILL)
`;

async function forkBomb(runner: Runner): Promise<Finding> {
  const { output } = await runner.run("/usr/bin/python3 -", { stdin: forks });
  const forked = Number(linesOf(output, "FORKED")[0] ?? Number.NaN);
  const leaks: string[] = [];
  if (Number.isNaN(forked)) leaks.push(`the probe did not run: ${output.slice(0, 200)}`);
  if (forked >= most) leaks.push(`${forked} processes at once were let through`);
  return { leaks, seen: `${forked} of ${most} processes` };
}

const memoryMiB = 300;
const hog = `
data = []
for _ in range(${memoryMiB}): data.append(b"x" * 1048576)
print("ALLOCATED", len(data))`;

async function memoryBomb(runner: Runner): Promise<Finding> {
  const { output, reason, code } = await runner.run("/usr/bin/python3 -", { stdin: hog });
  const [allocated] = linesOf(output, "ALLOCATED");
  const leaks = allocated === undefined ? [] : [`${allocated} MiB were allocated with a limit of 128 MiB`];
  if (allocated === undefined && reason !== "oom") leaks.push(`it ended as ${reason} ${code}, not as oom`);
  return { leaks, seen: `${memoryMiB} MiB asked for with 128: ${reason}` };
}

/** What a server has grown by once it has put away what is over: memory that is kept does not go by waiting. */
async function withGrowth(target: Target, attack: () => Promise<Finding>): Promise<Finding> {
  const before = await target.serverBytes();
  const { leaks, seen } = await attack();
  const until = performance.now() + 10_000;
  let grown = Number.POSITIVE_INFINITY;
  while (grown > 50 && performance.now() < until) {
    // What it answers makes it collect.
    await target.request("/agents");
    grown = Math.min(grown, ((await target.serverBytes()) - before) / 1_048_576);
  }
  const more = grown > 50 ? [`the server grew by ${Math.round(grown)} MiB`] : [];
  return {
    leaks: [...leaks, ...more],
    seen: `${seen}; the server grew by ${Math.round(Math.max(0, grown))} MiB`,
  };
}

// 200 MiB in one file, then in many, then 3,000 folders deep, and folders that nobody may enter.
const fill = `
head -c 200M /dev/zero >big; head -c 1 big >/dev/null
for i in $(seq 60); do head -c 4M /dev/zero >small$i || break; done
echo "USED $(du -sm --apparent-size . | cut -f1)"
rm -f big small*
/usr/bin/python3 -c 'import os
for _ in range(3000):
    os.mkdir("d"); os.chdir("d")'
mkdir closed; echo x >closed/x; chmod 000 closed; touch "$(printf 'new\\nline')" ./-rf`;

async function fillDisk(runner: Runner): Promise<Finding> {
  const { output } = await runner.run(`{ ${fill}\n} 2>/dev/null`, { timeoutMs: 60_000 });
  const used = Number(linesOf(output, "USED")[0] ?? Number.NaN);
  const leaks: string[] = [];
  if (used > 64) leaks.push(`${used} MiB were written with a quota of 32 MiB`);
  return { leaks, seen: Number.isNaN(used) ? "ended at the quota" : `${used} MiB written with 32` };
}

async function fillAndEnd(tenant: Tenant): Promise<Finding> {
  const { leaks, seen } = await fillDisk(tenant);
  const began = performance.now();
  await tenant.end();
  const ms = Math.round(performance.now() - began);
  const late = ms > 5_000 ? [`deleting it took ${ms} ms`] : [];
  return { leaks: [...leaks, ...late], seen: `${seen}, deleted in ${ms} ms` };
}

const written = 100;

async function flood(runner: Runner): Promise<Finding> {
  const floods = [
    `yes | head -c ${written}M`,
    `head -c ${written}M /dev/zero | tr '\\0' x`,
    `head -c 8M /dev/urandom`,
    `printf '\\033[2J\\033]0;title\\007'; yes '' | head -n 1000000`,
  ];
  const leaks: string[] = [];
  let largest = 0;
  for (const command of floods) {
    const { output } = await runner.run(command);
    largest = Math.max(largest, output.length);
    if (output.length > 2 * 1_048_576) leaks.push(`${output.length} characters came back`);
  }
  return { leaks, seen: `${floods.length} floods, at most ${Math.round(largest / 1024)} KiB came back` };
}

export const limitRows: readonly Row[] = [
  {
    id: "SBX-08",
    name: "Fork bomb",
    without: needsCgroup,
    run: async (target) => {
      const other = await target.tenant({ org: 1 });
      const [finding, answer] = await Promise.all([
        forkBomb(await target.tenant()),
        other.run("echo still here"),
      ]);
      const silent = answer.output.includes("still here") ? [] : ["another sandbox did not answer"];
      return { ...finding, leaks: [...finding.leaks, ...silent] };
    },
    naive: forkBomb,
  },
  {
    id: "SBX-09",
    name: "Memory bomb",
    without: needsCgroup,
    run: async (target) => {
      const tenant = await target.tenant({ memory: 128 });
      return await withGrowth(target, () => memoryBomb(tenant));
    },
    naive: memoryBomb,
  },
  {
    id: "SBX-10",
    name: "Full disk",
    without: ({ diskQuota }) => (diskQuota === "none" ? "this provider has no quota for disks" : null),
    run: async (target) => fillAndEnd(await target.tenant({ disk: 32 })),
    naive: fillDisk,
  },
  {
    id: "SBX-12",
    name: "Floods of output",
    run: async (target) => {
      const tenant = await target.tenant();
      // The first one makes the buffers that all use.
      await tenant.run("yes | head -c 20M");
      return await withGrowth(target, () => flood(tenant));
    },
    naive: flood,
  },
];
