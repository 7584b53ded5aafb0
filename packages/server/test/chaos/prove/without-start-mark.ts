/** A change of the server's source: `find` is in the file exactly once. */
export interface Edit {
  /** Below the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/**
 * The server without the committed start of tools of effect `once`: a call is run without agent.tool_started, so that the next
 * server after a crash finds it not started, does not seal it, and runs it again. The kill loop has to see that (I6).
 */
export const withoutStartMark: readonly Edit[] = [
  {
    file: "packages/server/src/session/next-step.ts",
    find: 'return { type: call.effect === "once" ? "start_tool" : "run_tool" };',
    replace: 'return { type: "run_tool" };',
  },
];
