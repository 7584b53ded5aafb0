import { join } from "node:path";

/** The folder that holds `packages/`. */
export const repository = join(import.meta.dirname, "../../../..");
