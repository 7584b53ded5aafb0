import { LLMock } from "@copilotkit/aimock";

interface Message {
  readonly role: string;
  readonly content?: unknown;
}

const bodyOf = (request: unknown) => (request as { messages: readonly Message[] }).messages;
const textOf = (message: Message | undefined) => JSON.stringify(message?.content ?? "");

/** True when the user's newest message has these words and the answer to it has had this many rounds of tools. */
function turn(words: string, rounds: number): (request: unknown) => boolean {
  return (request) => {
    const messages = bodyOf(request);
    const lastUser = messages.findLastIndex((message) => message.role === "user");
    const answers = messages.slice(lastUser).filter((message) => message.role === "assistant");
    return textOf(messages[lastUser]).includes(words) && answers.length === rounds;
  };
}

const call = (name: string, input: unknown) => ({ name, arguments: JSON.stringify(input) });

/**
 * A provider of other people's making over real HTTP, which plays a conversation of three turns: parallel tool calls, a command that
 * needs an approval, a sub-agent.
 */
export async function startTripMock(): Promise<{ url: string; stop(): Promise<void> }> {
  const mock = new LLMock({ port: 0, host: "127.0.0.1", chunkSize: 6 });
  const say = (words: string, rounds: number, answer: Parameters<LLMock["on"]>[1]) =>
    mock.on({ predicate: turn(words, rounds) }, answer);
  say("plan the trip", 0, {
    content: "I write two files.",
    toolCalls: [
      call("fs_write", { path: "route.md", content: "Lisbon, Porto" }),
      call("fs_write", { path: "bag.md", content: "umbrella" }),
    ],
  });
  say("plan the trip", 1, { content: "The trip is planned." });
  say("count the words", 0, { toolCalls: [call("bash_run", { command: "cat route.md bag.md | wc -w" })] });
  say("count the words", 1, { content: "There are three words." });
  say("ask the poet", 0, { toolCalls: [call("delegate", { agent: "poet", task: "a line on rain" })] });
  say("a line on rain", 0, { content: "Rain writes on the river." });
  say("ask the poet", 1, { content: "The poet says: Rain writes on the river." });
  await mock.start();
  return { url: mock.url, stop: () => mock.stop() };
}

export const turns = ["plan the trip", "count the words", "ask the poet"] as const;
export const answers = [
  "The trip is planned.",
  "There are three words.",
  "The poet says: Rain writes on the river.",
] as const;
