import type { Capabilities } from "../sandbox.ts";

/** Whether commands of people who do not trust each other may run there. */
export function isolates({ isolation }: Pick<Capabilities, "isolation">): boolean {
  return isolation !== "none" && isolation !== "process";
}
