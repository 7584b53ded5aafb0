import { z } from "zod";
import type { FilterRequest } from "../operations/follow-events.ts";
import { validate } from "./validate.ts";

/** Words joined by commas, or the name several times. */
const words = z
  .union([z.string().max(4_000), z.array(z.string().max(4_000)).max(100)])
  .transform((given) => [given].flat().flatMap((text) => text.split(",")))
  .pipe(z.array(z.string()).max(200));

/** The query of everything that follows a session's log. What the words may be is known to the filter. */
export const followQuerySchema = z.strictObject({
  after: z.string().max(100).optional().describe("cursor, generation.seq, after which to begin"),
  types: words.optional().describe("event types, joined by commas or several times"),
  channel: words.optional().describe("progress, control or monitor, joined by commas or several times"),
  namespace: words
    .optional()
    .describe("paths of sub-agents, joined by commas or several times; empty for the session's own agent"),
});

export function followRequest(query: z.output<typeof followQuerySchema>): {
  readonly after: string | null;
  readonly filter: FilterRequest;
} {
  const { after = null, types = [], channel: channelWords = [], namespace = [] } = query;
  return { after, filter: { types, channels: channelWords, namespaces: namespace } };
}

/** The same of a WebSocket's address, which may hold a ticket too. Only a session's own WebSocket takes more than that. */
export function followQuery(
  search: URLSearchParams,
  { session }: { readonly session: boolean },
): ReturnType<typeof followRequest> {
  const query: Record<string, string | string[]> = {};
  for (const name of new Set(search.keys())) {
    const values = search.getAll(name);
    if (name !== "ticket") query[name] = values.length === 1 ? (values[0] ?? "") : values;
  }
  if (!session) validate(z.strictObject({}), query, "query");
  return followRequest(validate(followQuerySchema, query, "query"));
}
