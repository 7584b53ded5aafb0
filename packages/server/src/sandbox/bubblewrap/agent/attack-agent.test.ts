import { once } from "node:events";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  type BareBubblewrap,
  startBareBubblewrap,
} from "../../../../test/support/sandbox/bare-bubblewrap.ts";

let boxes: readonly [BareBubblewrap, BareBubblewrap];

beforeEach(async () => {
  boxes = await Promise.all([startBareBubblewrap(), startBareBubblewrap()]);
});
afterEach(() => Promise.all(boxes.map((box) => box.close())));

/** One command attacks its sandbox's agent while another one of the same sandbox and one of a neighbour wait. */
async function attack(command: string) {
  const [box, neighbour] = boxes;
  const sandbox = box.client.inFolder("");
  const beside = sandbox.exec({ command: "sleep 20", timeoutMs: 20_000 });
  const other = neighbour.client.inFolder("").exec({ command: "sleep 1; echo own", timeoutMs: 20_000 });
  const attacker = sandbox.exec({ command, timeoutMs: 2_000 });
  return { sandbox, client: box.client, process: box.process, beside, other, attacker };
}

it("SBX-19 a killed agent takes its sandbox with it, and nobody else's command", async () => {
  const { sandbox, client, process, beside, other, attacker } = await attack("kill -9 $PPID; sleep 10");
  const exited = process.exitCode === null ? once(process, "exit") : null;
  expect(await client.lost).toBe("it has ended");
  expect((await attacker).reason).toBe("lost");
  expect((await beside).reason).toBe("lost");
  await exited;
  await expect(sandbox.spawn({ command: "true" })).rejects.toMatchObject({ code: "sandbox_lost" });
  expect((await sandbox.health()).ok).toBe(false);
  expect(await other).toMatchObject({ reason: "exit", output: "own\n" });
});

it("SBX-19 a stopped agent is noticed; commands end at their time limit and the sandbox is lost", async () => {
  const { sandbox, client, beside, other, attacker } = await attack("kill -STOP $PPID; sleep 10");
  await expect.poll(async () => (await sandbox.health()).ok, { timeout: 5_000 }).toBe(false);
  const began = performance.now();
  expect((await attacker).reason).toBe("timeout");
  // 2 s and the time that an agent has to end it; not when the command would have ended.
  expect(performance.now() - began).toBeLessThan(8_000);
  expect(await client.lost).toContain("did not end");
  expect((await beside).reason).toBe("lost");
  expect(await other).toMatchObject({ reason: "exit", output: "own\n" });
}, 30_000);

it("SBX-19 nobody can open the agent's connection to write to it", async () => {
  const forge = `for fd in 0 1; do printf '\\0\\0\\0\\0' 2>&1 > /proc/$PPID/fd/$fd && echo written; done; echo done`;
  const { sandbox, beside, other, attacker, client } = await attack(forge);
  const { output } = await attacker;
  expect(output).toMatch(/No such device or address[^]*done\n$/);
  expect(output).not.toContain("written");
  await expect.poll(async () => (await sandbox.health()).ok).toBe(true);
  client.close();
  expect((await beside).reason).toBe("killed");
  expect(await other).toMatchObject({ reason: "exit", output: "own\n" });
});
