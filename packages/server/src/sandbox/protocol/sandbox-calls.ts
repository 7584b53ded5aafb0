import { z } from "zod";
import { call, callsOn, rawCall } from "./call.ts";
import * as shape from "./shapes.ts";
import { wireLimits } from "./wire.ts";

const folder = shape.path.exactOptional();
const environment = z.record(z.string().max(256), z.string().max(131_072)).exactOptional();
const command = { folder, command: z.string().max(262_144), cwd: shape.path.exactOptional(), environment };
const size = z.strictObject({
  columns: z.int().min(1).max(10_000),
  rows: z.int().min(1).max(10_000),
});
const inFolder = z.strictObject({ folder });
const ofProcess = { folder, process: shape.processId };
const execId = z.string().regex(/^[0-9a-f]{32}$/);
const port = z.int().min(1).max(65_535);

/** Inside a sandbox, files apart. */
export const sandboxCalls = callsOn("sandbox", {
  /** Whether it is there and its folder can be entered; makes a missing folder. */
  connect: call({ verb: "look", args: inFolder, answer: z.null() }),
  /** Frames. Starts the command that has this `execId`, or goes on telling of it: never runs it twice. */
  exec: rawCall({
    verb: "exec",
    args: z.strictObject({
      ...command,
      execId,
      timeoutMs: z.number().positive().max(3_600_000),
      maxOutputBytes: z.int().nonnegative().exactOptional(),
      oneshot: z.boolean().exactOptional(),
      /** False: the result is enough. */
      live: z.boolean(),
    }),
    repeatable: false,
    timeoutMs: 30_000,
    tail: wireLimits.tail,
  }),
  /** Frames of a command that was started, from an offset on. */
  resume: rawCall({ verb: "exec", args: z.strictObject({ execId, from: z.int().nonnegative() }) }),
  cancel: call({ verb: "exec", args: z.strictObject({ execId }), answer: z.null() }),
  spawn: call({
    verb: "exec",
    args: z.strictObject({
      ...command,
      pty: size.exactOptional(),
      input: z.boolean().exactOptional(),
      hidden: z.boolean().exactOptional(),
    }),
    answer: shape.backgroundProcess,
    repeatable: false,
    timeoutMs: 30_000,
  }),
  processes: call({
    verb: "look",
    args: inFolder,
    answer: z.array(shape.backgroundProcess).max(10_000),
    most: wireLimits.answer,
  }),
  logs: call({
    verb: "read",
    args: z.strictObject({ ...ofProcess, offset: z.int().exactOptional() }),
    answer: z
      .strictObject({
        text: z.string(),
        nextOffset: z.int().nonnegative(),
        process: shape.backgroundProcess,
      })
      .nullable(),
    most: wireLimits.answer,
  }),
  /** Frames. */
  follow: rawCall({
    verb: "read",
    args: z.strictObject({ ...ofProcess, from: z.int().nonnegative().exactOptional() }),
  }),
  input: call({
    verb: "exec",
    args: z.strictObject({ ...ofProcess, close: z.boolean() }),
    answer: z.null(),
    repeatable: false,
    timeoutMs: 30_000,
    tail: wireLimits.frame,
  }),
  resize: call({ verb: "exec", args: z.strictObject({ ...ofProcess, size }), answer: z.null() }),
  kill: call({ verb: "exec", args: z.strictObject(ofProcess), answer: z.boolean(), timeoutMs: 30_000 }),
  listening: call({ verb: "look", args: inFolder, answer: z.array(port).max(65_535) }),
  metrics: call({ verb: "look", args: inFolder, answer: shape.metrics }),
  health: call({
    verb: "look",
    args: inFolder,
    answer: z.strictObject({ ok: z.boolean(), problem: z.string().max(2_000).exactOptional() }),
  }),
  /** By an upgrade: the connection becomes the port's. */
  port: rawCall({ verb: "ports", args: z.strictObject({ port }), repeatable: false }),
});
