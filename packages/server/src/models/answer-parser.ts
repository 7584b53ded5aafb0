import type { Usage } from "@berth/contract";
import type { ModelError, ModelFinish } from "./model.ts";
import type { PartWriter } from "./part-writer.ts";

/**
 * One provider's way to write an answer, read event by event. A parser writes parts to its writer and keeps what is told
 * apart from them; it never writes `usage`, `finish` or `error` itself. It may throw: that is told as `bad_response`.
 */
export interface AnswerParser {
  readonly writer: PartWriter;
  /** The data of one server-sent event. */
  event(data: string): void;
  /** The JSON of a reply that is no stream. */
  whole(reply: unknown): void;
  /** Why the model stopped, once it has said so. Usage may still come. */
  readonly finish: ModelFinish | null;
  /** Nothing more is to come. */
  readonly done: boolean;
  readonly usage: Usage | null;
  /** What the provider reported inside its stream; ends the answer. */
  readonly error: ModelError | null;
}
