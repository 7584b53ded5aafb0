import { describe, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { defaultStreamSettings } from "./stream-settings.ts";
import { WebSocketWire } from "./websocket-wire.ts";

function connect() {
  const socket = {
    OPEN: 1,
    readyState: 1,
    bufferedAmount: 0,
    pings: 0,
    ping: () => void (socket.pings += 1),
  };
  const wire = new WebSocketWire(socket as unknown as WebSocket, defaultStreamSettings);
  /** So many seconds pass; what the wire says at the last of them. */
  const pass = (seconds: number) => {
    let last = "";
    for (let i = 0; i < seconds; i++) last = wire.beat();
    return last;
  };
  return { socket, wire, pass };
}

describe("WebSocketWire", () => {
  it("pings every 20 s and gives a client up after two pings without an answer", () => {
    const { socket, pass } = connect();
    expect([pass(19), socket.pings]).toEqual(["alive", 0]);
    expect([pass(1), socket.pings]).toEqual(["alive", 1]);
    expect([pass(20), socket.pings]).toEqual(["alive", 2]);
    expect(pass(19)).toBe("alive");
    expect(pass(1)).toBe("mute");
  });

  it("keeps a client that is heard", () => {
    const { wire, pass } = connect();
    for (let i = 0; i < 10; i++) {
      expect(pass(30)).toBe("alive");
      wire.heard();
    }
  });

  it("gives a client up that takes nothing for 60 s, though it sends", () => {
    const { socket, wire, pass } = connect();
    socket.bufferedAmount = 1;
    for (let i = 0; i < 59; i++) {
      expect(pass(1)).toBe("alive");
      wire.heard();
    }
    expect(pass(1)).toBe("slow");
  });
});
