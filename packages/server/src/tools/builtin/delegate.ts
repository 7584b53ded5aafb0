import { defineTool, failed } from "./define-tool.ts";

interface Input {
  agent: string;
  task: string;
}

/** What a model is told of delegating. The call is a transition of the session itself: it never runs as a tool. */
export const delegateTool = defineTool<Input>({
  name: "delegate",
  effect: "pure",
  touchesWorkspace: false,
  reachesOutside: false,
  mainArgument: "agent",
  timeoutMs: 10_000,
  properties: {
    agent: { type: "string", description: "name of the agent that does the task" },
    task: {
      type: "string",
      minLength: 1,
      maxLength: 100_000,
      description: "all that the agent needs to know",
    },
  },
  required: ["agent", "task"],
  run: async () => failed("runtime", "A task is delegated by the session and not by a tool."),
});
