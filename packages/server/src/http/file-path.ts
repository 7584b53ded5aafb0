import { z } from "zod";

/** Relative to the workspace; the sandbox decides what it may name. */
export const filePath = z.string().max(4_096).describe("relative to the workspace");
