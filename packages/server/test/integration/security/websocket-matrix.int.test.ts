import { type ClientFrame, clientFrame, type ServerFrame } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { newId } from "../../../src/lib/id.ts";
import { openWs, type WsClient } from "../../support/follow/ws-client.ts";
import { mayAs, withoutIds } from "../../support/security/ask-endpoint.ts";
import { roles, type SeatRole } from "../../support/security/tenant.ts";
import { maker } from "../../support/security/things.ts";
import { useTwoOrgs } from "../../support/security/world.ts";

interface OpRow {
  readonly may: "anyone" | SeatRole;
  /** What the server says to who may. */
  readonly ok: ServerFrame["op"];
  /** Made for a session that it names, if it names one. */
  frame(id: string, sessionId: string): ClientFrame;
  /** What has to be sent first. */
  before?(id: string): ClientFrame;
  readonly namesSession: boolean;
}

/** Every operation that a client's frame can have, by what tells it from the others. */
const ops: Readonly<Record<string, OpRow>> = {
  "subscribe session": {
    may: "viewer",
    ok: "subscribed",
    namesSession: true,
    frame: (id, sessionId) => ({ op: "subscribe", id, sessionId }),
  },
  "subscribe approvals": {
    may: "viewer",
    ok: "subscribed",
    namesSession: false,
    frame: (id) => ({ op: "subscribe", id, topic: "approvals" }),
  },
  "subscribe sessions": {
    may: "viewer",
    ok: "subscribed",
    namesSession: false,
    frame: (id) => ({ op: "subscribe", id, topic: "sessions" }),
  },
  unsubscribe: {
    may: "viewer",
    ok: "end",
    namesSession: false,
    before: (id) => ({ op: "subscribe", id, topic: "sessions" }),
    frame: (id) => ({ op: "unsubscribe", id }),
  },
  send: {
    may: "member",
    ok: "accepted",
    namesSession: true,
    frame: (id, sessionId) => ({
      op: "send",
      id,
      sessionId,
      events: [{ type: "system.message", content: "noted" }],
    }),
  },
  ping: { may: "anyone", ok: "pong", namesSession: false, frame: (id) => ({ op: "ping", id }) },
};

/** The operations as the contract has them. */
function operations(): string[] {
  return clientFrame.options.flatMap((option) => {
    const { op } = option.shape;
    if ("topic" in option.shape) return option.shape.topic.options.map((topic) => `${op.value} ${topic}`);
    return "sessionId" in option.shape && op.value === "subscribe" ? [`${op.value} session`] : [op.value];
  });
}

describe("API-01: WebSockets", { timeout: 30_000 }, () => {
  const world = useTwoOrgs();
  const connect = async (key: string, path = "/ws"): Promise<WsClient> => {
    const socket = openWs(world().port, path, { authorization: `Bearer ${key}` });
    await socket.status;
    return socket;
  };
  /** The first frame that answers a request: a refusal, or what it is answered with. */
  const answer = async (socket: WsClient, frame: ClientFrame, ok?: string): Promise<ServerFrame> => {
    socket.send(frame);
    const isAnswer = (op: string) => op === "error" || (ok === undefined ? op !== "event" : op === ok);
    const answers = (one: ServerFrame) => "id" in one && one.id === frame.id && isAnswer(one.op);
    await expect.poll(() => socket.frames.some(answers), { timeout: 5_000, interval: 5 }).toBe(true);
    const found = socket.frames.find(answers);
    if (found === undefined) throw new Error("no answer");
    return found;
  };
  const told = (frame: ServerFrame) => withoutIds({ status: 0, text: JSON.stringify(frame) });

  it("API-01: every operation has a row in the matrix, and every row an operation", () => {
    expect(Object.keys(ops).toSorted()).toEqual(operations().toSorted());
  });

  it.each(Object.entries(ops))("API-01: %s answers each role as it should", async (_, row) => {
    const { a } = world();
    for (const role of roles) {
      const socket = await connect(a.people[role].key);
      if (row.before !== undefined) await answer(socket, row.before("x"));
      const got = await answer(socket, row.frame("x", a.things.sessionId), row.ok);
      const said = got.op === "error" ? got.code : got.op;
      expect([role, said]).toEqual([role, mayAs({ may: row.may, ok: [] }, role) ? row.ok : "forbidden"]);
      socket.socket.terminate();
    }
  });

  it.each(Object.entries(ops).filter(([, row]) => row.namesSession))(
    "API-01: %s says of another's session what it says of none",
    async (_, row) => {
      const { a, b, outsider } = world();
      for (const key of [a.people.owner.key, a.people.viewer.key, outsider.people.owner.key]) {
        const socket = await connect(key);
        const theirs = await answer(socket, row.frame("b", b.things.sessionId));
        const none = await answer(socket, row.frame("n", newId("session")));
        expect(told({ ...theirs, id: "" })).toBe(told({ ...none, id: "" }));
        expect(theirs.op).toBe("error");
        socket.socket.terminate();
      }
    },
  );

  it("API-01: a session's own WebSocket closes for another's as for none", async () => {
    const { a, b } = world();
    const codes = [];
    for (const id of [b.things.sessionId, a.things.privateSessionId, newId("session")]) {
      codes.push(await (await connect(a.people.viewer.key, `/sessions/${id}/ws`)).closed);
    }
    expect(codes).toEqual([4404, 4404, 4404]);
  });

  it("API-01: hints tell of what one may see, and of nothing else", async () => {
    const { call, a, b } = world();
    const viewer = await connect(a.people.viewer.key);
    await answer(viewer, { op: "subscribe", id: "sessions", topic: "sessions" });
    await answer(viewer, { op: "subscribe", id: "approvals", topic: "approvals" });
    const create = (key: string, visibility: string) =>
      maker(call, key)("POST", "/sessions", { agent: "helper", visibility, input: "hello" });
    const unseen = [
      await create(b.people.member.key, "org"),
      await create(a.people.member.key, "private"),
      await create(a.people.admin.key, "private"),
    ];
    const seen = await create(a.people.member.key, "org");
    const hinted = () => viewer.frames.flatMap((frame) => (frame.op === "hint" ? [frame.sessionId] : []));
    await expect.poll(hinted, { timeout: 5_000 }).toContain(seen.id);
    const manager = await connect(a.people.admin.key);
    await answer(manager, { op: "subscribe", id: "sessions", topic: "sessions" });
    const hidden = await create(a.people.member.key, "private");
    await manager.until("hint", ({ sessionId }) => sessionId === hidden.id);
    expect(hinted().filter((id) => [...unseen, hidden].some((one) => one.id === id))).toEqual([]);
    for (const { socket } of [viewer, manager]) socket.terminate();
  });
});
