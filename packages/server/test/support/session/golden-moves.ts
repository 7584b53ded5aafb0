import type { InputBody } from "@berth/contract";
import { type Block, finishStep, finishTool } from "../../../src/session/decide-step.ts";
import { openCall } from "./answers.ts";
import type { Driver } from "./driver.ts";
import { idOf } from "./ids.ts";
import { type call, spent } from "./story.ts";

type Said = string | Block | ReturnType<typeof call>;

/** Sends inputs, then lets the holder take and commit whatever it can before somebody has to answer. */
export function send(
  driver: Driver,
  ...inputs: readonly (readonly [InputBody, "control" | "steer" | "queue"])[]
): void {
  for (const [body, lane] of inputs) driver.accept(body, lane);
  goOn(driver);
}

export function goOn(driver: Driver): void {
  driver.now += 1_000;
  for (let more = true; more;) {
    more = driver.take() !== null || driver.transit();
    driver.commit();
  }
}

/** A message as people send it. */
export const message = (content: string, onBusy: "enqueue" | "steer" | "rollback" = "enqueue") => {
  const lane = onBusy === "enqueue" ? "queue" : onBusy === "steer" ? "steer" : "control";
  return [{ type: "user.message", content, onBusy }, lane] as const;
};

/** The model of a namespace answers its open step. */
export function says(driver: Driver, namespace: string, ...said: readonly Said[]): void {
  const stepId = driver.thinking.get(namespace) ?? "";
  const blocks = said.map((one, blockId): Block => {
    if (typeof one === "string") return { blockId, type: "text", text: one };
    return "toolUseId" in one ? { blockId, type: "tool_use", call: one } : one;
  });
  const model = driver.state.namespaces[namespace]?.model ?? "";
  const messageId = stepId.replace(/^stp_/, "msg_");
  const finish = said.some((one) => typeof one !== "string" && "toolUseId" in one) ? "tool_calls" : "stop";
  const numbers = { usage: spent(1_200, 30), cost: 0.002, ttftMs: 200, durationMs: 900 } as const;
  driver.add(finishStep({ namespace, stepId, messageId, blocks, model, finish, ...numbers }));
  goOn(driver);
}

/** A running tool gives back something. */
export function gives(driver: Driver, number: number, content: string): void {
  const found = openCall(driver, idOf("toolUse", number));
  if (found !== null)
    driver.add([finishTool(found.namespace, found.call, { ok: true, content, durationMs: 12 })]);
  goOn(driver);
}
