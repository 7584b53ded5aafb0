import { z } from "zod";
import { call, callsOn, rawCall } from "./call.ts";
import * as shape from "./shapes.ts";
import { type CallPlace, wireLimits } from "./wire.ts";

const folder = shape.path.exactOptional();
const ofPath = { folder, path: shape.path };
const limit = z.int().max(100_000).exactOptional();
/** A search has a time limit of its own. */
const searchMs = 30_000;

/** What is more than the bytes of files. */
const shapeCalls = {
  mkdir: call({ verb: "write", args: z.strictObject(ofPath), answer: z.null() }),
  link: call({
    verb: "write",
    args: z.strictObject({ ...ofPath, target: z.string().max(4_095) }),
    answer: z.null(),
    repeatable: false,
  }),
  executable: call({
    verb: "write",
    args: z.strictObject({ ...ofPath, executable: z.boolean() }),
    answer: z.null(),
  }),
};

/** Files of a workspace, asked for by the sandbox that has it or by the workspace itself. */
const fileCallsOn = (on: CallPlace) =>
  callsOn(on, {
    stat: call({ verb: "read", args: z.strictObject(ofPath), answer: shape.fileStat.nullable() }),
    files: call({
      verb: "read",
      args: z.strictObject({ ...ofPath, depth: z.int().max(1_000_000).exactOptional(), limit }),
      answer: shape.fileEntries,
      most: wireLimits.answer,
      timeoutMs: 30_000,
    }),
    tree: call({
      verb: "read",
      args: z.strictObject({ ...ofPath, limit }),
      answer: shape.treeItems,
      most: wireLimits.answer,
      timeoutMs: 30_000,
    }),
    /** Bytes. */
    read: rawCall({
      verb: "read",
      args: z.strictObject({
        ...ofPath,
        offset: z.int().exactOptional(),
        length: z.int().nonnegative().exactOptional(),
      }),
      timeoutMs: 60_000,
    }),
    write: call({
      verb: "write",
      args: z.strictObject(ofPath),
      answer: z.null(),
      repeatable: false,
      timeoutMs: 60_000,
      tail: wireLimits.tail,
    }),
    move: call({
      verb: "write",
      args: z.strictObject({ ...ofPath, to: shape.path }),
      answer: z.null(),
      repeatable: false,
      timeoutMs: 30_000,
    }),
    remove: call({
      verb: "write",
      args: z.strictObject(ofPath),
      answer: z.boolean(),
      repeatable: false,
      timeoutMs: 120_000,
    }),
    ...shapeCalls,
    glob: call({
      verb: "read",
      args: z.strictObject({
        folder,
        pattern: z.string().max(4_096),
        path: shape.path.exactOptional(),
        limit,
      }),
      answer: shape.paths,
      most: wireLimits.answer,
      timeoutMs: searchMs,
    }),
    grep: call({
      verb: "read",
      args: z.strictObject({
        folder,
        pattern: z.string().max(4_096),
        path: shape.path.exactOptional(),
        glob: z.string().max(4_096).exactOptional(),
        ignoreCase: z.boolean().exactOptional(),
        limit,
      }),
      answer: shape.grepMatches,
      most: wireLimits.answer,
      timeoutMs: searchMs,
    }),
  });

export const sandboxFileCalls = fileCallsOn("sandbox");
export const workspaceFileCalls = fileCallsOn("workspace");
