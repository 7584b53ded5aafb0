import { type Channel, channelOf, channels, eventTypes } from "@berth/contract";
import { BerthError } from "../../lib/errors.ts";
import { nearestWord } from "../../lib/nearest-word.ts";

/** What a reader wants to see, as it says it. Lists that are missing or empty leave nothing out. */
export interface FilterRequest {
  readonly types?: readonly string[];
  readonly channels?: readonly string[];
  /** Paths of sub-agents, exactly; the empty text is the session's own agent. */
  readonly namespaces?: readonly string[];
}

interface Filtered {
  readonly type: string;
  /** Read only when it matters: it may have to be parsed. */
  readonly namespace: string;
}

/** Which events a reader wants. */
export interface EventFilter {
  wants(event: Filtered): boolean;
  /** False when no delta of a text can pass. */
  readonly text: boolean;
}

const knownTypes: ReadonlySet<string> = new Set(eventTypes);
const textTypes = eventTypes.filter((type) => type.endsWith(".delta"));

/** Null when everything is wanted. Throws `validation_failed` for a type or a channel that does not exist. */
export function eventFilter(request: FilterRequest): EventFilter | null {
  for (const type of request.types ?? []) check("event type", type, eventTypes);
  for (const channel of request.channels ?? []) check("channel", channel, channels);
  const types = setOf(request.types);
  const wantedChannels = setOf(request.channels) as ReadonlySet<Channel> | null;
  const namespaces = setOf(request.namespaces);
  if (types === null && wantedChannels === null && namespaces === null) return null;
  const wantsType = (type: string) =>
    (types === null || types.has(type)) && (wantedChannels === null || wantedChannels.has(channelOf(type)));
  const wantedTypes: ReadonlySet<string> = new Set([...knownTypes].filter(wantsType));
  return {
    wants: (event) => wantedTypes.has(event.type) && (namespaces === null || namespaces.has(event.namespace)),
    text: textTypes.some((type) => wantedTypes.has(type)),
  };
}

function setOf(words: readonly string[] | undefined): ReadonlySet<string> | null {
  return words === undefined || words.length === 0 ? null : new Set(words);
}

function check(what: string, word: string, known: readonly string[]): void {
  if (known.includes(word)) return;
  const near = nearestWord(word, known);
  const hint = near === null ? `they are ${known.join(", ")}` : `did you mean ${near}?`;
  throw new BerthError(
    "validation_failed",
    `There is no ${what} ${JSON.stringify(word.slice(0, 60))}: ${hint}`,
  );
}
