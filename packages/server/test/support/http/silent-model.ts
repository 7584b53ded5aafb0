import type { ModelPart } from "../../../src/models/model.ts";
import type { Answer } from "../runtime/scripted-client.ts";

/** A model that says nothing until it is aborted. */
export const silentModel: Answer = async function* (_, signal): AsyncGenerator<readonly ModelPart[]> {
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  yield [{ type: "error", error: { code: "aborted", message: "aborted", retryable: false } }];
};
