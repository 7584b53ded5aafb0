import { describe, expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { createBeats } from "./beats.ts";
import { type EndedBy, SseConnection } from "./sse-connection.ts";
import type { SseWire } from "./sse-wire.ts";
import { defaultStreamSettings } from "./stream-settings.ts";

/** A wire whose client takes what the test says. */
class TestWire implements SseWire {
  readonly written: string[] = [];
  unsent = 0;
  state = "open";
  taken: (() => void)[] = [];

  write(bytes: Uint8Array): void {
    this.written.push(Buffer.from(bytes).toString());
  }

  afterTaken(call: () => void): void {
    this.taken.push(call);
  }

  end(): void {
    this.state = "ended";
  }

  cut(): void {
    this.state = "cut";
  }
}

function connect() {
  const clock = createManualClock();
  const beats = createBeats(clock);
  const wire = new TestWire();
  const ended: EndedBy[] = [];
  const calls: string[] = [];
  const connection = new SseConnection(defaultStreamSettings, (by) => {
    ended.push(by);
    beats.remove(connection);
  });
  beats.add(connection);
  connection.connect(wire);
  const follower = {
    stop: () => calls.push("stop"),
    drained: () => calls.push("drained"),
    tellPosition: () => calls.push("tellPosition"),
  };
  connection.follow(follower);
  return { clock, wire, ended, calls, connection };
}

describe("SseConnection", () => {
  it("says every 10 s that it lives, when nothing else does", async () => {
    const { clock, wire, connection } = connect();
    await clock.advance(9_999);
    expect(wire.written).toEqual([]);
    await clock.advance(1);
    expect(wire.written).toEqual([":\n\n"]);
    await clock.advance(5_000);
    connection.write(Buffer.from("data: 1\n\n"));
    await clock.advance(9_999);
    expect(wire.written).toHaveLength(2);
    await clock.advance(1);
    expect(wire.written).toHaveLength(3);
  });

  it("cuts a client that takes nothing for 60 s", async () => {
    const { clock, wire, ended, calls, connection } = connect();
    wire.unsent = 1;
    await clock.advance(59_999);
    expect(wire.state).toBe("open");
    await clock.advance(1);
    expect(wire.state).toBe("cut");
    connection.gone();
    expect({ ended, calls, timers: clock.timers() }).toEqual({ ended: ["slow"], calls: ["stop"], timers: 0 });
  });

  it("leaves a slow client that takes all now and then", async () => {
    const { clock, wire, calls, connection } = connect();
    wire.unsent = 1;
    for (let i = 0; i < 4; i++) {
      connection.askForDrain();
      await clock.advance(50_000);
      for (const call of wire.taken.splice(0)) call();
    }
    expect(wire.state).toBe("open");
    expect(calls).toEqual(["drained", "drained", "drained", "drained"]);
  });

  it("ends after its last bytes, and tells the position before them", () => {
    const { wire, ended, calls, connection } = connect();
    connection.close(Buffer.from(": bye\n\n"));
    expect({ calls, written: wire.written, state: wire.state }).toEqual({
      calls: ["tellPosition", "stop"],
      written: [": bye\n\n"],
      state: "ended",
    });
    connection.gone();
    connection.gone();
    expect(ended).toEqual(["server"]);
  });
});
