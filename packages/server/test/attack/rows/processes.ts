import { readlinkSync } from "node:fs";
import { whenInterrupted } from "../../support/interruption/interruption.ts";
import { endMarked, leftAfter, processesWith } from "../host-processes.ts";
import { type Finding, needsNamespaces, type Row } from "../row.ts";
import type { Ran, Runner, Tenant } from "../target.ts";

let used = 0;
/** Seconds that only one attack sleeps, to know its processes by. At most half a minute, and no longer than the command. */
function sleepMark(): string {
  used += 1;
  const mark = `2${used % 10}.${process.pid}${Math.floor(performance.now())}`;
  whenInterrupted({ stage: "places", stop: () => endMarked(mark) });
  return mark;
}

/** Children that leave the group, the session, the parent and the environment; one that ignores TERM, one that is stopped. */
function escapers(mark: string): string {
  return `
trap '' TERM
setsid sleep ${mark} & (setsid sh -c 'sleep ${mark} & sleep ${mark}' &) ; env -i setsid sleep ${mark} &
(trap '' TERM INT HUP; sleep ${mark}) & sleep ${mark} & kill -STOP $!
echo started; sleep ${mark}`;
}

async function outlive(runner: Runner): Promise<Finding> {
  const mark = sleepMark();
  const began = performance.now();
  const { reason, output } = await runner.run(escapers(mark), { timeoutMs: 1_500 });
  const ms = Math.round(performance.now() - began);
  const left = await leftAfter(mark, 2_000);
  await endMarked(mark);
  const leaks: string[] = [];
  if (!output.includes("started")) leaks.push(`the probe did not run: ${output.slice(0, 200)}`);
  if (reason !== "timeout") leaks.push(`it ended as ${reason}, not as timeout`);
  if (ms > 3_500) leaks.push(`the answer took ${ms} ms with a time limit of 1500 ms`);
  if (left > 0) leaks.push(`${left} processes outlived their command`);
  return { leaks, seen: `timeout told after ${ms} ms, ${left} processes left` };
}

/** Starts what goes on after its command, then ends the session. */
async function stayBehind(runner: Runner, end: () => Promise<void>): Promise<Finding> {
  const mark = sleepMark();
  const command = `for i in 1 2 3; do setsid sleep ${mark} >/dev/null 2>&1 </dev/null & done; sleep 5`;
  const running = runner.run(command).catch((error: unknown): Ran => {
    return { code: null, reason: String(error), output: "", outputBytes: 0 };
  });
  const began = performance.now();
  let started = 0;
  while ((started = (await processesWith(mark)).length) < 3 && performance.now() - began < 10_000)
    await new Promise((resolve) => setTimeout(resolve, 20));
  await end();
  const left = await leftAfter(mark, 3_000);
  await endMarked(mark);
  await running;
  const leaks = left > 0 ? [`${left} processes outlived their session`] : [];
  if (started < 3) leaks.push(`the probe did not run: ${started} processes`);
  return { leaks, seen: `${started} processes, ${left} after the session was deleted` };
}

/** What one leaves in every place that there is, for some seconds, and how another looks for it. */
function traces() {
  const text = `canary${process.pid}x${Math.floor(performance.now() * 1_000)}`;
  const port = 20_000 + (process.pid % 10_000);
  const leave = `
echo ${text} | tee file /tmp/${text} /dev/shm/${text} >/dev/null
/usr/bin/python3 -m http.server --bind 127.0.0.1 ${port} >/dev/null 2>&1 & server=$!
(exec -a ${text} sleep 6) & (SECRET=${text} exec sleep 6) & echo left; sleep 6; kill $server; rm -f /tmp/${text} /dev/shm/${text} file`;
  // Written so that what looks for it is not found itself.
  const pattern = `[${text.slice(0, 1)}]${text.slice(1)}`;
  const look = `sleep 2; {
for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; tr '\\0' '\\n' <$p/environ; done
ls -a /tmp /dev/shm /workspace; cat file ../*/file /tmp/canary* /dev/shm/canary*
/usr/bin/python3 -c 'import urllib.request; print(urllib.request.build_opener(urllib.request.ProxyHandler({})).open("http://127.0.0.1:${port}/", timeout=2).read().decode())'
} 2>/dev/null | grep '${pattern}'; echo looked`;
  return { leave, look, text };
}

function seenOf({ output }: Ran, text: string): Finding {
  const found = output.split("\n").filter((line) => line.includes(text)).length;
  const leaks = found > 0 ? [`${found} traces of another sandbox were seen`] : [];
  if (!output.includes("looked")) leaks.push(`the probe did not run: ${output.slice(0, 200)}`);
  return { leaks, seen: `files, processes, environment, memory, port: ${found} traces` };
}

async function lookAtOther(victim: Runner, attacker: Runner): Promise<Finding> {
  const { leave, look, text } = traces();
  const [left, looked] = await Promise.all([victim.run(leave), attacker.run(look)]);
  const finding = seenOf(looked, text);
  if (left.output.includes("left")) return finding;
  return { ...finding, leaks: [...finding.leaks, `the probe did not run: ${left.output.slice(0, 200)}`] };
}

/** Both in one place. */
async function lookAtOneself(host: Runner): Promise<Finding> {
  const { leave, look, text } = traces();
  return seenOf(await host.run(`{ ${leave}; } >/dev/null & ${look}`), text);
}

async function attackAgent(tenant: Tenant, other: Tenant): Promise<Finding> {
  await tenant.files.write("kept", "still here");
  const waiting = other.run("sleep 2; echo mine");
  // Never in the host's own namespace, whatever the provider says of itself.
  const forge = `
[ "$(readlink /proc/self/ns/pid)" = "${readlinkSync("/proc/self/ns/pid")}" ] && exit 9
for fd in /proc/1/fd/* /proc/$PPID/fd/*; do printf '\\0\\0\\0\\5FORGED' >"$fd"; done 2>/dev/null
head -c 20M /dev/zero >/proc/$PPID/fd/1; kill -9 $PPID 1 -1`;
  const killed = await tenant.run(`{ ${forge}\n} 2>/dev/null; echo survived`).catch((error: unknown) => {
    return { reason: "refused", output: String(error) };
  });
  const others = await waiting;
  const leaks = others.output.includes("mine")
    ? []
    : ["another sandbox's command did not get its own answer"];
  if (others.output.includes("FORGED")) leaks.push("another sandbox's command got a forged answer");
  const after = await nextRun(tenant);
  if (!after.includes("still here"))
    leaks.push(`the session did not get a new sandbox: ${after.slice(0, 120)}`);
  return { leaks, seen: `its command ended as ${killed.reason}; the next one had the same files` };
}

/** One that has the same processes around it as its attacker. */
async function killNeighbour(host: Runner): Promise<Finding> {
  const inside = `[ "$(readlink /proc/self/ns/pid)" = "${readlinkSync("/proc/self/ns/pid")}" ] && exit 9`;
  const { output } = await host.run(`${inside}; (sleep 1; echo mine) & sleep 0.3; kill -9 -1`);
  const leaks = output.includes("mine") ? [] : ["another sandbox's command did not get its own answer"];
  return { leaks, seen: "" };
}

/** The first command afterwards may be told that the sandbox was lost; then there is a new one. */
async function nextRun(tenant: Tenant): Promise<string> {
  let said = "";
  for (let attempt = 0; attempt < 3; attempt++) {
    said = await tenant.run("cat kept").then(({ output }) => output, String);
    if (said.includes("still here")) return said;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return said;
}

export const processRows: readonly Row[] = [
  {
    id: "SBX-13",
    name: "Processes that do not end",
    without: needsNamespaces,
    run: async (target) => outlive(await target.tenant()),
    naive: (host) => outlive({ run: (command, options) => host.sleepers(command, options) }),
  },
  {
    id: "SBX-14",
    name: "Processes that stay behind",
    without: needsNamespaces,
    run: async (target) => {
      const tenant = await target.tenant();
      return await stayBehind(tenant, () => tenant.end());
    },
    naive: (host) =>
      stayBehind({ run: (command, options) => host.sleepers(command, options) }, () => Promise.resolve()),
  },
  {
    id: "SBX-19",
    name: "Attacks on the sandbox's own agent",
    without: needsNamespaces,
    run: async (target) => attackAgent(await target.tenant(), await target.tenant({ org: 1 })),
    naive: killNeighbour,
  },
  {
    id: "SBX-20",
    name: "Sandboxes of others",
    without: needsNamespaces,
    run: async (target) => lookAtOther(await target.tenant(), await target.tenant({ org: 1 })),
    naive: lookAtOneself,
  },
];
