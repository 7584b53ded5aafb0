import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as turn, setTimeout as realTime } from "node:timers/promises";
import { readHostAddress } from "../../../src/lib/host-address.ts";
import { newId } from "../../../src/lib/id.ts";
import { newKeyPair, readPrivateKey } from "../../../src/sandbox/protocol/keys.ts";
import { createRemote, type RemoteOptions } from "../../../src/sandbox/remote/remote.ts";
import { deployment } from "../../../src/sandbox/sandbox-harness.conformance.ts";
import type { SandboxProvider, SandboxRef } from "../../../src/sandbox/sandbox.ts";
import { createManualClock, type ManualClock } from "../manual-clock.ts";
import { createFakeHost, type FakeHost } from "./fake-host.ts";

export interface HostileRig {
  readonly fake: FakeHost;
  readonly clock: ManualClock;
  readonly provider: SandboxProvider;
  newRef(): SandboxRef;
  /** Waits until the fake host has so many calls of a name, without moving the clock. */
  calls(name: string, times: number): Promise<void>;
  /** Lets what is on its way over the network arrive. */
  arrive(): Promise<void>;
  /** Moves the clock in steps until the promise has settled. */
  until<T>(running: Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** A remote provider on a manual clock, and a fake host that it has found healthy. */
export async function createHostileRig(options: Partial<RemoteOptions> = {}): Promise<HostileRig> {
  const fake = await createFakeHost();
  const clock = createManualClock();
  const provider = createRemote({
    hosts: [readHostAddress(`fake=${fake.url}`)],
    tokens: await readPrivateKey(newKeyPair().privateKey),
    deployment,
    clock,
    breaker: { failures: 3, openMs: 10_000 },
    ...options,
  });
  await provider.hosts();
  const arrive = async () => {
    for (let i = 0; i < 200; i++) await turn();
  };
  return {
    fake,
    clock,
    provider,
    newRef: () => ({ id: newId("sandbox"), host: "fake" }),
    async calls(name, times) {
      for (let i = 0; fake.count(name) < times; i++) {
        if (i > 100_000) throw new Error(`${name} was not called ${times} times`);
        await turn();
      }
    },
    arrive,
    async until(running) {
      const state = { done: false };
      const mark = () => void (state.done = true);
      running.then(mark, mark);
      for (let i = 0; i < 5_000 && !state.done; i++) {
        // What is on its way must not seem to take seconds: turns take no time that a network could use.
        await realTime(1);
        await clock.advance(100);
      }
      return await running;
    },
    async close() {
      await provider.close();
      await fake.close();
    },
  };
}

export interface Decoy {
  readonly url: string;
  visits(): number;
  close(): Promise<void>;
}

/** Somebody else's server, which nothing must be sent to: counts who comes. */
export async function createDecoy(): Promise<Decoy> {
  let visits = 0;
  const server = createServer((_, response) => {
    visits++;
    response.setHeader("berth-sandbox-protocol", "1");
    response.end(JSON.stringify({ result: null }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    visits: () => visits,
    close() {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
