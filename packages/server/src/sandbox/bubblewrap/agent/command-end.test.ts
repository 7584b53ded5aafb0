import { describe, expect, it } from "vitest";
import { useBareBubblewrap } from "../../../../test/support/sandbox/use-bare-bubblewrap.ts";

const { sandbox, sh, others } = useBareBubblewrap();

/** Ways to outlive a command; `sleep` is theirs alone. */
const escapes: readonly (readonly [string, (sleep: string) => string])[] = [
  ["ignores TERM", (sleep) => `trap '' TERM INT HUP; ${sleep}`],
  ["leaves the session", (sleep) => `setsid ${sleep} & wait`],
  ["forks twice", (sleep) => `(setsid sh -c '${sleep} & exit' &) ; wait; sleep 60`],
  ["clears its environment", (sleep) => `env -i setsid ${sleep} & wait`],
  [
    "clears its environment and forks twice",
    (sleep) => `(env -i setsid sh -c '${sleep} & exit' &); sleep 60`,
  ],
  ["stops itself", (sleep) => `${sleep} & kill -STOP $! ; kill -STOP $$`],
  ["closes every stream", (sleep) => `setsid ${sleep} </dev/null >/dev/null 2>&1 3>&- & wait`],
  [
    "starts itself anew again and again",
    (sleep) =>
      `r() { (exec env -i setsid bash -c "$1" -- "$1" &) ; }; r '${sleep} & sleep 0.01; exec bash -c "$0" "$0"'; sleep 60`,
  ],
];

describe("SBX-13 the end of a command", () => {
  it.each(escapes)("SBX-13 ends everything of one that %s, alone or beside another", async (_, escape) => {
    for (const beside of [false, true]) {
      const other = beside ? await sandbox().spawn({ command: "sleep 555 & wait" }) : null;
      const began = performance.now();
      expect(await sh(escape("sleep 71.5"), { timeoutMs: 400 })).toMatchObject({ reason: "timeout" });
      // Not at the end of what it started.
      expect(performance.now() - began).toBeLessThan(10_000);
      const left = await others();
      expect(left.filter((line) => !line.includes("555"))).toEqual([]);
      if (other === null) continue;
      expect(left).toHaveLength(2);
      await sandbox().kill(other.id);
    }
  });

  it("SBX-13 leaves nothing of a command that ended by itself, beside one that goes on", async () => {
    const { id } = await sandbox().spawn({ command: "(setsid sleep 555 &); sleep 555" });
    for (const [, escape] of escapes.slice(1, 5)) {
      const command = escape("sleep 71.5").replace(/wait; sleep 60|sleep 60|wait$/, "sleep 0.1");
      expect(await sh(command)).toMatchObject({ reason: "exit" });
    }
    // What the other one started stays, in its session or not.
    expect(await others()).toEqual(["sleep 555", "sleep 555"]);
    await sandbox().kill(id);
    expect(await others()).toEqual([]);
  });

  it("SBX-13 ends a chain of processes that forks faster than it can be looked at", async () => {
    const other = await sandbox().spawn({ command: "sleep 555" });
    const rabbit = `perl -e 'use POSIX; $SIG{CHLD}="IGNORE"; my $end = time + 20; while (time < $end) { exit if fork; POSIX::setsid() }'`;
    expect(await sh(`env -i ${rabbit}; sleep 60`, { timeoutMs: 300 })).toMatchObject({ reason: "timeout" });
    expect((await others()).filter((line) => line.includes("perl"))).toEqual([]);
    await sandbox().kill(other.id);
  });

  it("SBX-13 is found by what the sandbox shows when it is left alone (the test sees leftovers)", async () => {
    const { id } = await sandbox().spawn({ command: "env -i setsid sleep 72.5 & wait" });
    await expect.poll(others).toContain("sleep 72.5");
    await sandbox().kill(id);
    expect(await others()).toEqual([]);
  });
});
