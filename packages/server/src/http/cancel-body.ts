import { z } from "zod";

export const cancelBody = z.strictObject({ reason: z.string().max(2_000).optional() });
