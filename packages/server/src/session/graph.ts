/**
 * The graph that each namespace walks:
 *
 *     THINK ──asked for tools──▶ ACT ──results in──▶ THINK
 *       │  └─asked for agents──▶ DELEGATE ──results in──▶ THINK
 *       └──answered──▶ RESPOND ──finished──▶ END
 *
 * THINK: a model call is due or under way. ACT: tool calls are open. DELEGATE: only sub-agents are at work. RESPOND: the answer
 * stands, the run (or the sub-agent) has to be finished. END: it is finished.
 */
export type Node = "THINK" | "ACT" | "DELEGATE" | "RESPOND" | "END";

export type GraphSignal =
  | "begin"
  | "tools_open"
  | "delegates_open"
  | "results_in"
  | "answered"
  | "spoken_to"
  | "finished";

/** Total: every node answers every signal. `spoken_to` is a steering message: an answer that stood is followed by another thought. */
export const graph: Readonly<Record<Node, Readonly<Record<GraphSignal, Node>>>> = {
  THINK: {
    begin: "THINK",
    tools_open: "ACT",
    delegates_open: "DELEGATE",
    results_in: "THINK",
    answered: "RESPOND",
    spoken_to: "THINK",
    finished: "END",
  },
  ACT: {
    begin: "THINK",
    tools_open: "ACT",
    delegates_open: "DELEGATE",
    results_in: "THINK",
    answered: "ACT",
    spoken_to: "ACT",
    finished: "END",
  },
  DELEGATE: {
    begin: "THINK",
    tools_open: "ACT",
    delegates_open: "DELEGATE",
    results_in: "THINK",
    answered: "DELEGATE",
    spoken_to: "DELEGATE",
    finished: "END",
  },
  RESPOND: {
    begin: "THINK",
    tools_open: "RESPOND",
    delegates_open: "RESPOND",
    results_in: "RESPOND",
    answered: "RESPOND",
    spoken_to: "THINK",
    finished: "END",
  },
  END: {
    begin: "THINK",
    tools_open: "END",
    delegates_open: "END",
    results_in: "END",
    answered: "END",
    spoken_to: "END",
    finished: "END",
  },
};
