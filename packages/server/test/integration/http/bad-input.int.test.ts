import { type IdKind, problem } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { newId } from "../../../src/lib/id.ts";
import { type Api, type ApiOptions, useApi } from "../../support/http/api.ts";
import { footprint } from "../../support/http/footprint.ts";

const open = useApi();

async function start(options: ApiOptions = {}): Promise<Api> {
  const api = await open(options);
  await api.agent();
  return api;
}

const message = { type: "user.message", content: "hi" };
const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

type Bad = [what: string, body: unknown, problem: Record<string, unknown>, headers?: Record<string, string>];

const badSessions: readonly Bad[] = [
  [
    "an unknown field",
    { agent: "tester", owner: "usr_x" },
    { code: "validation_failed", errors: [{ pointer: "/owner" }] },
  ],
  [
    "a wrong type",
    { agent: "tester", title: 7 },
    { code: "validation_failed", errors: [{ pointer: "/title" }] },
  ],
  ["a missing field", {}, { code: "validation_failed", errors: [{ pointer: "/agent" }] }],
  ["an unknown agent", { agent: "nobody" }, { code: "unknown_agent" }],
  ["an agent id of nobody's", { agent: newId("agent") }, { code: "unknown_agent" }],
  ["a malformed agent id", { agent: "agt_1" }, { code: "validation_failed" }],
  ["an array", [], { code: "validation_failed" }],
  ["null", "null", { code: "validation_failed" }],
  ["no JSON", "{", { status: 400, code: "malformed_json" }],
  ["nothing", "", { status: 400, code: "malformed_json" }],
  ["bytes that are no UTF-8", new Uint8Array([0x22, 0xff, 0x22]), { status: 400, code: "malformed_json" }],
  ["deep JSON", `{"agent":"tester","metadata":${nested(100)}}`, { code: "validation_failed" }],
  ["very deep JSON", nested(400_000), { code: "validation_failed" }],
  [
    "a field that reaches a prototype",
    '{"agent":"tester","metadata":{"__proto__":"x"}}',
    { code: "validation_failed" },
  ],
  [
    "a field that reaches a prototype by an escape",
    String.raw`{"agent":"tester","metadata":{"\u005f_proto__":"x"}}`,
    { code: "validation_failed" },
  ],
  ["half of a surrogate pair", String.raw`{"agent":"tester","key":"k\ud800"}`, { code: "validation_failed" }],
  ["big JSON", { agent: "tester", title: "x".repeat(1_100_000) }, { status: 413, code: "body_too_large" }],
  [
    "a form",
    "agent=tester",
    { status: 415, code: "unsupported_media_type" },
    { "content-type": "application/x-www-form-urlencoded" },
  ],
  [
    "JSON that says that it is text",
    "{}",
    { status: 415, code: "unsupported_media_type" },
    { "content-type": "text/plain" },
  ],
  ["compressed JSON", "{}", { status: 415, code: "unsupported_media_type" }, { "content-encoding": "gzip" }],
  [
    "a key with spaces",
    { agent: "tester" },
    { status: 400, code: "malformed_header" },
    { "idempotency-key": "a b" },
  ],
];

const badEvents: readonly Bad[] = [
  ["no events", { events: [] }, { errors: [{ pointer: "/events" }] }],
  [
    "too many events",
    { events: Array.from({ length: 101 }, () => message) },
    { errors: [{ pointer: "/events" }] },
  ],
  [
    "an unknown type",
    { events: [{ type: "session.archive", archived: true }] },
    { code: "validation_failed" },
  ],
  [
    "an unknown field",
    { events: [{ ...message, runId: newId("run") }] },
    { errors: [{ pointer: "/events/0/runId" }] },
  ],
  [
    "an unknown policy",
    { events: [{ ...message, onBusy: "never" }] },
    { errors: [{ pointer: "/events/0/onBusy" }] },
  ],
  ["an empty text", { events: [{ ...message, content: "" }] }, { code: "validation_failed" }],
  [
    "an edit without arguments",
    { events: [{ type: "user.approval", approvalId: newId("approval"), decision: "edit" }] },
    { code: "validation_failed" },
  ],
  [
    "a decision about nothing",
    { events: [message, { type: "user.approval", approvalId: newId("approval"), decision: "allow" }] },
    { status: 404, code: "approval_not_found" },
  ],
  [
    "an image that has two sources",
    {
      events: [
        {
          ...message,
          content: [{ type: "image", mediaType: "image/png", data: "aa==", url: "http://x.test/" }],
        },
      ],
    },
    { code: "validation_failed" },
  ],
];

describe("bad input", () => {
  it.each<Bad>(badSessions)("to create a session is refused: %s", async (...bad: Bad) => {
    const [, body, expected, headers = {}] = bad;
    const api = await start();
    const before = await footprint(api);
    const reply = await api.post("/sessions", body, { headers });
    expect(problem.parse(reply.problem())).toMatchObject({ status: 422, ...expected });
    expect(reply.headers.get("content-type")).toBe("application/problem+json");
    expect(await footprint(api)).toEqual(before);
  });

  it.each<Bad>(badEvents)("to send is refused: %s", async (...bad: Bad) => {
    const [, body, expected] = bad;
    const api = await start();
    await api.harness.worker.stop(0);
    const { id } = await api.session();
    const before = await footprint(api);
    const reply = await api.post(`/sessions/${id}/events`, body);
    expect(problem.parse(reply.problem())).toMatchObject({ status: 422, ...expected });
    expect(await footprint(api)).toEqual(before);
  });

  it.each([
    ["an unknown parameter", "?limt=3", "/limt"],
    ["a limit too high", "?limit=1000", "/limit"],
    ["a limit that is no number", "?limit=many", "/limit"],
    ["a parameter twice", "?limit=1&limit=2", "/limit"],
    ["a status that there is not", "?status=sleeping", "/status"],
    ["metadata without a name", "?metadata=red", "/metadata"],
  ])("in a query is refused: %s", async (_, query, pointer) => {
    const api = await start();
    const reply = await api.get(`/sessions${query}`);
    expect(reply.problem()).toMatchObject({ status: 422, code: "validation_failed", errors: [{ pointer }] });
  });

  it.each([
    "/sessions",
    "/runs",
    "/sessions/SESSION/runs",
    "/approvals",
    "/agents",
    "/agents/tester/versions",
  ])("as a cursor of %s is refused, and one of what is gone is taken", async (path) => {
    const api = await start();
    const { id } = await api.session();
    const list = path.replace("SESSION", id);
    for (const after of ["garbage", "", "1e2", newId("user")]) {
      expect((await api.get(`${list}?after=${after}`)).problem()).toMatchObject({
        status: 422,
        code: "validation_failed",
        errors: [{ pointer: "/after" }],
      });
    }
    const kind = /(session|run|approval|agent)s$/.exec(path)?.[1] as IdKind | undefined;
    const unknown = kind === undefined ? "99" : newId(kind);
    expect((await api.get(`${list}?after=${unknown}`)).status).toBe(200);
  });

  it("as half of a surrogate pair in a query is refused, and escapes of UTF-8 are taken", async () => {
    const api = await start();
    expect((await api.get("/sessions?search=k%ED%A0%80")).problem()).toMatchObject({
      status: 422,
      code: "validation_failed",
    });
    expect((await api.get("/sessions?search=%C3%BC100%&metadata=a:%F0%9F%98%80")).status).toBe(200);
  });

  it("is told at most twenty faults, and never repeats what was sent", async () => {
    const api = await start();
    const fields = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`field${i}`, "CANARY"]));
    const reply = await api.post("/sessions", fields);
    expect(reply.problem().errors).toHaveLength(20);
    expect(reply.text).not.toContain("CANARY");
  });
});
