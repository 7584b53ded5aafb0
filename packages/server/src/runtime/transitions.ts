import type { AgentDefinition } from "@berth/contract";
import { newId } from "../lib/id.ts";
import { type Ending, finishRun } from "../session/decide-run.ts";
import {
  askApproval,
  beginStep,
  type Delegation,
  delegate,
  finishSubagent,
  requestInput,
  startTool,
} from "../session/decide-step.ts";
import type { Action } from "../session/next-step.ts";
import type { NamespaceState, ToolCall } from "../session/state.ts";
import type { Draft } from "./draft.ts";
import { reserveOf } from "./reserves.ts";
import type { SessionAtWork } from "./session-at-work.ts";

type Transition = Extract<
  Action,
  {
    type:
      | "begin_step"
      | "ask"
      | "request_input"
      | "delegate"
      | "start_tool"
      | "finish_subagent"
      | "finish_run";
  }
>;

const types: ReadonlySet<Action["type"]> = new Set<Transition["type"]>([
  "begin_step",
  "ask",
  "request_input",
  "delegate",
  "start_tool",
  "finish_subagent",
  "finish_run",
]);

/** True for an action that only writes events. */
export function isTransition(action: Action): action is Transition {
  return types.has(action.type);
}

/** Writes the events of one transition into the draft. */
export async function transit(actor: SessionAtWork, draft: Draft, action: Transition): Promise<void> {
  if (action.type === "finish_run") return endRun(actor, draft, action);
  const at = draft.state.namespaces[action.namespace];
  if (at === undefined) return;
  if (action.type === "begin_step") {
    const call = newId("step", actor.context.clock.now());
    draft.reserves.push(await reserveOf(actor, draft.state, at, { call, kind: "model" }));
    return draft.add([beginStep(at, call)]);
  }
  if (action.type === "finish_subagent") return draft.add(finishSubagent(at));
  const call = at.calls.find((one) => one.toolUseId === action.toolUseId);
  if (call !== undefined) await forCall(actor, draft, action.type, at, call);
}

async function forCall(
  actor: SessionAtWork,
  draft: Draft,
  type: "ask" | "request_input" | "delegate" | "start_tool",
  at: NamespaceState,
  call: ToolCall,
): Promise<void> {
  const { clock, settings } = actor.context;
  switch (type) {
    case "ask": {
      const { approvalTimeoutMs } = (await definitionOf(actor, at)).permissions;
      const expiresAt = new Date(clock.now() + approvalTimeoutMs).toISOString();
      return draft.add([askApproval(draft.state, at, call, expiresAt)]);
    }
    case "request_input": {
      const expiresAt = new Date(
        clock.now() + (call.timeoutMs ?? settings.clientToolTimeoutMs),
      ).toISOString();
      return draft.add([requestInput(at, call, expiresAt)]);
    }
    case "start_tool":
      return draft.add([startTool(at, call, actor.held.epoch)]);
    case "delegate":
      return draft.add([delegate(draft.state, at, call, await delegationOf(actor, at, call))]);
  }
}

/** The sub-agent that a call names: only one that the calling agent lists, in its newest version. */
async function delegationOf(
  actor: SessionAtWork,
  at: NamespaceState,
  call: ToolCall,
): Promise<Delegation | { refused: string }> {
  const { agent, task } = call.input as { agent: string; task: string };
  const { subagents } = await definitionOf(actor, at);
  if (!subagents.includes(agent)) {
    return {
      refused: `There is no agent ${JSON.stringify(agent)} to delegate to. The agents are: ${subagents.join(", ")}.`,
    };
  }
  const found = await actor.definitions.newest(actor.held.orgId, agent);
  if (found === null) return { refused: `The agent ${agent} does not exist any more.` };
  return { agent: found.ref, model: found.definition.model, task };
}

export function definitionOf(actor: SessionAtWork, at: NamespaceState): Promise<AgentDefinition> {
  return actor.definitions.get(actor.held.orgId, at.agent);
}

/** Ends the run: stops what is under way, keeps the workspace, writes what finishRun says. */
export async function endRun(
  actor: SessionAtWork,
  draft: Draft,
  ending: Pick<Extract<Transition, { type: "finish_run" }>, "reason" | "error"> & Pick<Ending, "budget">,
): Promise<void> {
  await actor.effects.abortAll();
  const manifest = await takeManifest(actor, draft, "other");
  const { reason, error, budget } = ending;
  const { defaultModel } = actor.context.settings;
  const otherModels = defaultModel === null || defaultModel === draft.state.run?.model ? [] : [defaultModel];
  draft.add(
    finishRun(draft.state, {
      reason,
      now: actor.context.clock.now(),
      partials: actor.live.partials(),
      otherModels,
      ...(error !== undefined && { error }),
      ...(budget !== undefined && { budget }),
      ...(manifest !== null && { manifest }),
    }),
  );
}

/** How long a run's end may take to keep the workspace, in milliseconds: somebody waits for the end of a run that is interrupted. */
const manifestMs = { interrupted: 800, other: 20_000 };

/** Stores the workspace as a run leaves it, if anything touched it; a failure costs the manifest, not the run. */
export async function takeManifest(
  actor: SessionAtWork,
  draft: Draft,
  end: keyof typeof manifestMs,
): Promise<string | null> {
  if (!draft.state.workspaceDirty) return null;
  const { clock, telemetry } = actor.context;
  const tell = (error: unknown) => telemetry.unexpectedError({ where: "manifest", error, ...placeOf(actor) });
  try {
    const taken = await actor.workspace.takeManifest({ clock, budgetMs: manifestMs[end] });
    if (taken === null) return null;
    if ("skipped" in taken) {
      if (!taken.toldBefore) tell(taken.skipped);
      return null;
    }
    draft.blobs.push(...taken.blobs);
    return taken.hash;
  } catch (error) {
    tell(error);
    return null;
  }
}

function placeOf({ held: { orgId, sessionId } }: SessionAtWork): { orgId: string; sessionId: string } {
  return { orgId, sessionId };
}
