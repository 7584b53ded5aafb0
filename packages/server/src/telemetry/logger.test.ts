import { describe, expect, it } from "vitest";
import { BerthError } from "../lib/errors.ts";
import { Secret } from "../lib/secret.ts";
import { createLogger, type LoggerOptions, silentLogger } from "./logger.ts";
import { createRedactor } from "./redaction.ts";

function capture(options: LoggerOptions = {}, isTTY = false) {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line), isTTY };
  const logger = createLogger({ destination, ...options });
  const parsed = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { logger, lines, parsed };
}

describe("createLogger as JSON", () => {
  it("writes one line for each call, with level, time, message and fields", () => {
    const { logger, lines, parsed } = capture();
    logger.info(
      { orgId: "org_1", sessionId: "ses_1", runId: "run_1", requestId: "req_1", n: 3 },
      "run finished",
    );
    logger.error({ ok: false }, "bad");
    expect(lines).toHaveLength(2);
    expect(lines.every((line) => line.indexOf("\n") === line.length - 1)).toBe(true);
    expect(parsed()[0]).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      msg: "run finished",
      orgId: "org_1",
      sessionId: "ses_1",
      runId: "run_1",
      requestId: "req_1",
      n: 3,
    });
    expect(parsed()[1]).toMatchObject({ level: "error", ok: false, msg: "bad" });
  });

  it("leaves out what is below its level", () => {
    const { logger, parsed } = capture({ level: "warn" });
    logger.debug({}, "1");
    logger.info({}, "2");
    logger.warn({}, "3");
    logger.error({}, "4");
    expect(parsed().map(({ msg }) => msg)).toEqual(["3", "4"]);
    const silent = capture({ level: "silent" });
    silent.logger.error({}, "5");
    expect(silent.lines).toEqual([]);
  });

  it("gives a child's fields to each of its lines", () => {
    const { logger, parsed } = capture();
    const child = logger.child({ sessionId: "ses_1" }).child({ runId: "run_1" });
    child.info({ n: 1 }, "a");
    logger.info({}, "b");
    expect(parsed()[0]).toMatchObject({ sessionId: "ses_1", runId: "run_1", n: 1 });
    expect(parsed()[1]).not.toHaveProperty("sessionId");
  });

  it("writes a field once that a child carries and a line names again: the line's", () => {
    const { logger, lines, parsed } = capture();
    logger.child({ runId: "run_1" }).info({ runId: "run_2" }, "m");
    expect(lines[0]?.match(/runId/g)).toHaveLength(1);
    expect(parsed()[0]).toMatchObject({ runId: "run_2" });
  });

  it("shows an error with its code, its stack and its cause", () => {
    const { logger, parsed } = capture();
    const error = new BerthError("disk_full", "make room", {
      cause: new Error("ENOSPC"),
      details: { path: "/data" },
    });
    logger.error({ error }, "commit failed");
    expect(parsed()[0]).toMatchObject({
      error: {
        name: "BerthError",
        code: "disk_full",
        message: "make room",
        details: { path: "/data" },
        stack: expect.stringContaining("logger.test.ts"),
        cause: { message: "ENOSPC" },
      },
    });
  });

  it("keeps secrets out: by name, by type, by value and by shape, wherever they stand", () => {
    const redactor = createRedactor();
    redactor.add(new Secret("CANARY_log_77ab"));
    const { logger, lines, parsed } = capture({ redactor });
    const child = logger.child({ from: "CANARY_log_77ab", apiKey: "CANARY_name_1" });
    child.error(
      {
        headers: { authorization: "CANARY_name_2", accept: "*/*" },
        secret: new Secret("CANARY_type_1"),
        list: [{ deep: new Secret("CANARY_type_2") }],
        error: new Error("called with CANARY_log_77ab"),
        CANARY_log_77ab: 1,
      },
      `sent brt_${"x".repeat(43)} and CANARY_log_77ab`,
    );
    expect(lines.join()).not.toMatch(/CANARY|brt_x/);
    expect(parsed()[0]).toMatchObject({
      apiKey: "[secret]",
      headers: { authorization: "[secret]", accept: "*/*" },
      list: [{ deep: "[secret]" }],
      msg: "sent [secret] and [secret]",
    });
  });

  it("strikes out a secret that lies across the cut of a long text", () => {
    const redactor = createRedactor();
    redactor.add(new Secret("CANARY_cut_0123456789"));
    const { logger, lines } = capture({ redactor });
    logger.info({ text: `${"x".repeat(8_180)}CANARY_cut_0123456789${"y".repeat(20_000)}` }, "m");
    expect(lines[0]).not.toContain("CANARY");
  });

  it("lets no text forge a line, move the cursor or turn the direction of writing", () => {
    const { logger, lines, parsed } = capture();
    const evil = 'a\r\n{"level":"info"}\u001b[2J\u009b1A\u202egnp.exe\u2028\u200b\u007f';
    logger.info({ [evil]: evil }, evil);
    expect(lines[0]).toMatch(/^[\u0020-\u007e]+\n$/);
    expect(parsed()[0]).toMatchObject({ msg: evil, [evil]: evil });
  });

  it("lets no field stand in for what the line itself says", () => {
    const { logger, lines, parsed } = capture();
    logger.info({ level: "error", msg: "forged", time: "never" }, "real");
    expect(parsed()[0]).toMatchObject({
      level: "info",
      msg: "real",
      _level: "error",
      _msg: "forged",
      _time: "never",
    });
    expect(lines[0]?.match(/"msg":/g)).toHaveLength(1);
  });

  it("bounds a line, whatever it is given", () => {
    const { logger, lines, parsed } = capture();
    interface Node {
      next?: Node;
    }
    const circle: Node = {};
    circle.next = circle;
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i]));
    logger.info(
      { agent: "x".repeat(1_000_000), circle, wide, list: Array(100_000).fill(1) },
      "y".repeat(1_000_000),
    );
    expect(lines[0]?.length).toBeLessThan(60_000);
    expect(parsed()[0]).toMatchObject({ agent: expect.stringContaining("(1000000 characters)") });
    logger.info({ texts: Array.from({ length: 1_000 }, () => "x".repeat(8_000)) }, "m");
    expect(lines[1]?.length).toBeLessThan(100_000);
  });

  it("writes values that JSON does not know", () => {
    const { logger, parsed } = capture();
    logger.info(
      { big: 10n, at: new Date(0), bytes: new Uint8Array(5), none: undefined, empty: null, call: () => 1 },
      "m",
    );
    expect(parsed()[0]).toMatchObject({
      big: "10",
      at: "1970-01-01T00:00:00.000Z",
      bytes: "[5 bytes]",
      empty: null,
    });
    expect(parsed()[0]).not.toHaveProperty("none");
  });

  it("does not change a prototype by a field's name", () => {
    const { logger, lines } = capture();
    logger.info(JSON.parse('{"__proto__": {"polluted": 1}}') as Record<string, unknown>, "m");
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(lines[0]).toContain('"__proto__":{"polluted":1}');
  });
});

describe("createLogger as text", () => {
  const withoutTime = (line: string | undefined) => line?.replace(/^\d\d:\d\d:\d\d\.\d{3} /, "");

  it("writes a line that people read when it is a terminal", () => {
    const { logger, lines } = capture({}, true);
    logger.info({ sessionId: "ses_1", n: 3, text: "two words", list: [1] }, "run finished");
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} /);
    expect(withoutTime(lines[0])).toBe('INFO  run finished  sessionId=ses_1 n=3 text="two words" list=[1]\n');
    logger.warn({}, "alone");
    expect(withoutTime(lines[1])).toBe("WARN  alone\n");
  });

  it("can be told to write text anywhere, and JSON on a terminal", () => {
    const text = capture({ format: "text" });
    text.logger.info({}, "m");
    expect(withoutTime(text.lines[0])).toBe("INFO  m\n");
    const json = capture({ format: "json" }, true);
    json.logger.info({}, "m");
    expect(json.parsed()[0]).toMatchObject({ msg: "m" });
  });

  it("shows an error in one line, with where it came from", () => {
    const { logger, lines } = capture({ format: "text" });
    logger.error({ error: new Error("it\nbroke") }, "failed");
    expect(withoutTime(lines[0])).toMatch(
      /^ERROR failed {2}error="Error: it\\nbroke < .*logger\.test\.ts.*"\n$/,
    );
  });

  it("escapes control characters in messages, names and values", () => {
    const { logger, lines } = capture({ format: "text" });
    logger.info({ "a\u001b": "b\u001b[2J\r\nFORGED" }, "c\u001b\nFORGED");
    expect(lines[0]).toMatch(/^[\u0020-\u007e]+\n$/);
  });
});

describe("silentLogger", () => {
  it("takes everything and is its own child", () => {
    silentLogger.error({}, "nothing");
    expect(silentLogger.child({ a: 1 })).toBe(silentLogger);
  });
});
