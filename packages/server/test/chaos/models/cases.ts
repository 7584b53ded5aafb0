import { type Answer, usage } from "../../support/models/answers.ts";
import { chatEvents, openChatEvents } from "../../support/models/chat-dialect.ts";
import type { Reply } from "../../support/models/fault-server.ts";

/** How a run of a case has to end. */
export interface Wanted {
  readonly reason: "end_turn" | "retries_exhausted" | "error" | "limit_reached";
  /** Code of the run's error. */
  readonly code?: string;
  /** Fits the content of some tool result. */
  readonly result?: RegExp;
  /** Calls of the model that it may take. */
  readonly calls?: number;
  /** Retries that the log tells of. */
  readonly retried?: boolean;
}

export interface ModelCase {
  /** Also the model's name. */
  readonly name: string;
  /** Answers the nth call, from 1. */
  readonly answer: (reply: Reply, nth: number) => void;
  readonly wanted: Wanted;
  /** Milliseconds that a run may take. */
  readonly maxDurationMs?: number;
  /** It is about an answer that comes too late: its provider waits for seconds, and that of the others for as long as it takes. */
  readonly impatient?: true;
}

const nothing = () => ({});

function write(reply: Reply, events: readonly string[]): void {
  reply.head(200);
  for (const event of events) reply.chunk(event);
}

function whole(reply: Reply, answer: Answer): void {
  write(reply, chatEvents(answer, nothing));
  reply.end();
}

/** A plain answer. */
export function say(reply: Reply, text: string): void {
  whole(reply, { steps: [{ text: [text] }], finish: "stop", usage });
}

function call(reply: Reply, name: string, input: string): void {
  whole(reply, { steps: [{ calls: [{ name, pieces: [input] }] }], finish: "tool_calls", usage });
}

/** Calls a tool, then answers. */
function callThenSay(name: string, input: string): ModelCase["answer"] {
  return (reply, nth) => (nth === 1 ? call(reply, name, input) : say(reply, "after the tool"));
}

function fail(status: number, headers: Readonly<Record<string, string>> = {}): ModelCase["answer"] {
  const body = JSON.stringify({ error: { message: `status ${status}`, type: "test" } });
  return (reply) => reply.send(status, { "content-type": "application/json", ...headers }, body);
}

function once(first: ModelCase["answer"]): ModelCase["answer"] {
  return (reply, nth) => (nth === 1 ? first(reply, nth) : say(reply, "the second time"));
}

function cut(reply: Reply): void {
  write(reply, openChatEvents({ steps: [{ text: ["half a sen"] }], finish: "stop", usage }, nothing));
  setTimeout(() => reply.cut(), 20);
}

function silent(reply: Reply): void {
  write(reply, openChatEvents({ steps: [{ text: ["and then"] }], finish: "stop", usage }, nothing));
}

function garbage(reply: Reply): void {
  reply.head(200);
  reply.chunk('data: {"choices": [{"del\n\n');
  reply.chunk("\u0000\u0001 this is not an event \ufffd\n\n");
  reply.end();
}

const noHttp: ModelCase["answer"] = (reply) => {
  reply.raw("\u0016\u0003\u0001 hello, this is no HTTP at all\r\n\r\n");
  reply.cut();
};

const bytes10M = 10_000_000;
const flood = JSON.stringify({ command: `head -c ${bytes10M} /dev/zero | tr '\\0' x` });

/** Every way in which a model endpoint, or what it asks for, can go wrong. */
export const modelCases: readonly ModelCase[] = [
  {
    name: "rate-limited",
    answer: once(fail(429, { "retry-after": "1" })),
    wanted: { reason: "end_turn", calls: 2, retried: true },
  },
  {
    name: "rate-limited-for-long",
    answer: fail(429, { "retry-after": "86400" }),
    wanted: { reason: "retries_exhausted", code: "rate_limited", calls: 1 },
  },
  { name: "error-500", answer: once(fail(500)), wanted: { reason: "end_turn", calls: 2, retried: true } },
  {
    name: "error-500-always",
    answer: fail(500),
    wanted: { reason: "retries_exhausted", code: "server_error", calls: 4, retried: true },
  },
  {
    name: "error-401",
    answer: fail(401),
    wanted: { reason: "error", code: "authentication_failed", calls: 1 },
  },
  { name: "cut", answer: once(cut), wanted: { reason: "end_turn", calls: 2, retried: true } },
  {
    name: "cut-always",
    answer: cut,
    wanted: { reason: "retries_exhausted", code: "cut_off", retried: true },
  },
  { name: "garbage", answer: once(garbage), wanted: { reason: "end_turn", calls: 2, retried: true } },
  { name: "garbage-always", answer: garbage, wanted: { reason: "retries_exhausted", retried: true } },
  { name: "no-http", answer: noHttp, wanted: { reason: "retries_exhausted", retried: true } },
  {
    name: "invalid-json",
    answer: callThenSay("bash_run", '{"command": "tr'),
    wanted: { reason: "end_turn", result: /JSON/, calls: 2 },
  },
  {
    name: "wrong-input",
    answer: callThenSay("bash_run", '{"cmd": "true"}'),
    wanted: { reason: "end_turn", result: /command/, calls: 2 },
  },
  {
    name: "unknown-tool",
    answer: callThenSay("make_coffee", "{}"),
    wanted: { reason: "end_turn", result: /make_coffee/, calls: 2 },
  },
  {
    name: "flood",
    answer: callThenSay("bash_run", flood),
    wanted: { reason: "end_turn", result: /^"x{1000}[^]*cut here/, calls: 2 },
  },
  {
    name: "hanging-tool",
    answer: callThenSay("bash_run", '{"command": "sleep 600", "timeoutMs": 700}'),
    wanted: { reason: "end_turn", result: /took longer than 700 ms/, calls: 2 },
  },
  {
    name: "hanging-run",
    answer: callThenSay("bash_run", '{"command": "sleep 600"}'),
    wanted: { reason: "limit_reached", code: "limit_reached", calls: 1 },
    maxDurationMs: 6_000,
  },
  {
    name: "slow-first-token",
    answer: (reply) => void setTimeout(() => say(reply, "slow and steady"), 800),
    wanted: { reason: "end_turn", calls: 1 },
  },
  {
    name: "no-first-token",
    answer: () => undefined,
    wanted: { reason: "retries_exhausted", code: "timeout", retried: true },
    impatient: true,
  },
  {
    name: "silent-in-the-middle",
    answer: silent,
    wanted: { reason: "retries_exhausted", code: "timeout", retried: true },
    impatient: true,
  },
];
