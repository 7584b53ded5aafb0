import type { SessionEvent } from "@berth/contract";
import { openRefusingPort } from "../../../../client/test/support/refusing-port.ts";
import { type FaultServer, startFaultServer } from "../../support/models/fault-server.ts";
import { bodyOf, type Door, send } from "../../support/server/api.ts";
import { startServer } from "../../support/server/server-process.ts";
import { checkNoProcess } from "../checks/leftover-rules.ts";
import type { Checklist } from "../checklist.ts";
import type { PartScene } from "../part.ts";
import { repository } from "../repository.ts";
import { until } from "../sleep.ts";
import { type ModelCase, modelCases, say } from "./cases.ts";

const short = { connect: "2s", firstToken: "2s", idle: "1s" };
const long = { connect: "10s", firstToken: "30s", idle: "30s" };
const patienceMs = 60_000;
/** Bytes of a request to a model that carries the result of a tool with 10 MB of output. */
const mostRequestBytes = 200_000;

const fine = "fine";
const refused: ModelCase = {
  name: "connection-refused",
  answer: () => undefined,
  wanted: { reason: "retries_exhausted", code: "connection_failed", retried: true },
};

/** A model endpoint that does everything wrong, over real HTTP: each run ends with a reason, and the session goes on. */
export async function modelsPart({ checklist, rig: newRig }: PartScene): Promise<void> {
  await using nobody = await openRefusingPort();
  const endpoint = await startFaultServer();
  const names = [fine, refused.name, ...modelCases.map(({ name }) => name)];
  const models = names.map((name) => ({ name, contextWindow: 200_000 }));
  const common = { kind: "openai-compatible", apiKey: "test-key", models };
  const providers = [
    { ...common, name: "faulty", baseUrl: endpoint.url, timeouts: long },
    { ...common, name: "impatient", baseUrl: endpoint.url, timeouts: short },
    { ...common, name: "nobody", baseUrl: nobody.url, timeouts: long },
  ];
  const rig = newRig({ name: "models", providers });
  const server = await startServer({ ...rig, root: repository }).ready;
  const door: Door = { url: server.url, apiKey: rig.apiKey };
  try {
    const healed = new Set<string>();
    play(endpoint, healed);
    const providerOf = ({ impatient }: ModelCase) => (impatient === true ? "impatient" : "faulty");
    const all = [
      ...modelCases.map((each) => [providerOf(each), each] as const),
      ["nobody", refused] as const,
    ];
    await Promise.all(
      all.map(([name, each]) => runCase({ door, endpoint, healed, checklist }, `${name}/${each.name}`, each)),
    );
    await server.end("SIGTERM");
    checkNoProcess(checklist, rig.dataDir);
  } finally {
    await server.end("SIGKILL");
    await endpoint.close();
  }
}

function play(endpoint: FaultServer, healed: ReadonlySet<string>): void {
  const calls = new Map<string, number>();
  endpoint.answer((reply, { body }) => {
    const model = modelOf(body);
    const nth = (calls.get(model) ?? 0) + 1;
    calls.set(model, nth);
    const found = modelCases.find(({ name }) => name === model);
    if (found === undefined || healed.has(model)) say(reply, "all is well");
    else found.answer(reply, nth);
  });
}

function modelOf(body: string): string {
  return body === "" ? "" : String((JSON.parse(body) as { model?: unknown }).model);
}

interface Scene {
  readonly door: Door;
  readonly endpoint: FaultServer;
  readonly healed: Set<string>;
  readonly checklist: Checklist;
}

async function runCase(scene: Scene, model: string, fault: ModelCase): Promise<void> {
  const { door, endpoint, healed, checklist } = scene;
  const { name, wanted, maxDurationMs } = fault;
  const limits = maxDurationMs === undefined ? {} : { limits: { maxDurationMs } };
  const definition = { name, model, tools: ["*"], permissions: { mode: "auto" }, ...limits };
  bodyOf(await send(door, { method: "POST", path: "/agents", body: definition }), 201);
  const made = await send(door, { method: "POST", path: "/sessions", body: { agent: name } });
  const { id } = bodyOf<{ id: string }>(made, 201);
  const runId = await speak(door, id);
  const log = await ended(door, id, runId);
  const rule = `${name}: the run ${wanted.reason === "end_turn" ? "goes on" : `ends with ${wanted.reason}`}`;
  for (const problem of problemsOf(log, runId, fault)) checklist.violated(rule, problem, id);
  checklist.holds(rule);
  const calls = endpoint.requests.filter(({ body }) => modelOf(body) === name);
  if (wanted.calls !== undefined)
    checklist.check(
      rule,
      calls.length === wanted.calls,
      () => `the model was called ${calls.length} times`,
      id,
    );
  const biggest = Math.max(0, ...calls.map(({ body }) => body.length));
  checklist.check(rule, biggest < mostRequestBytes, () => `a request to the model had ${biggest} bytes`, id);
  healed.add(name);
  if (fault === refused)
    bodyOf(
      await send(door, { method: "PATCH", path: `/sessions/${id}`, body: { model: `faulty/${fine}` } }),
      200,
      202,
    );
  const next = await speak(door, id);
  const after = await ended(door, id, next);
  const last = endsOf(after, next)[0]?.data.reason;
  checklist.check(
    `${name}: the session takes the next message`,
    last === "end_turn",
    () => `it ended with ${last}`,
    id,
  );
}

async function speak(door: Door, id: string): Promise<string> {
  const body = { events: [{ type: "user.message", content: "Go on." }] };
  const sent = await send(door, { method: "POST", path: `/sessions/${id}/events`, body });
  const { inputs } = bodyOf<{ inputs: readonly { runId: string }[] }>(sent, 202);
  return inputs[0]?.runId ?? "";
}

function endsOf(log: readonly SessionEvent[], runId: string): SessionEvent<"run.finished">[] {
  return log.filter((event) => event.type === "run.finished").filter((event) => event.runId === runId);
}

/** The log once the run is over, or as far as it came. */
async function ended(door: Door, id: string, runId: string): Promise<readonly SessionEvent[]> {
  let log: readonly SessionEvent[] = [];
  await until(
    async () => {
      const { bytes } = await send(door, { method: "GET", path: `/sessions/${id}/export` });
      const lines = Buffer.from(bytes).toString("utf8").trimEnd().split("\n");
      log = lines.map((line) => JSON.parse(line) as SessionEvent);
      return endsOf(log, runId).length > 0;
    },
    patienceMs,
    100,
  );
  return log;
}

/** What is not as it has to be. */
function problemsOf(log: readonly SessionEvent[], runId: string, { wanted }: ModelCase): readonly string[] {
  const ends = endsOf(log, runId);
  const [end] = ends;
  if (end === undefined) return [`there was no run.finished after ${patienceMs} ms`];
  const { reason, error } = end.data;
  const problems: string[] = [];
  if (ends.length !== 1) problems.push(`there are ${ends.length} run.finished`);
  if (reason !== wanted.reason) problems.push(`it ended with ${reason}: ${error?.message}`);
  if (reason !== "end_turn" && !error?.message) problems.push("it does not say why");
  if (wanted.code !== undefined && error?.code !== wanted.code)
    problems.push(`its error is ${error?.code}: ${error?.message}`);
  const retried = log.some((event) => event.type === "model.retried");
  if (wanted.retried === true && !retried) problems.push("no retry is told");
  const { result } = wanted;
  const results = log.flatMap((event) =>
    event.type === "agent.tool_result" ? [JSON.stringify(event.data.content)] : [],
  );
  if (result !== undefined && !results.some((content) => result.test(content)))
    problems.push(`the model was told ${JSON.stringify(results).slice(0, 300)}`);
  const messages = log.flatMap((event) => (event.type === "agent.message" ? [event.data.text] : []));
  if (reason === "end_turn" && messages.some((text) => text.includes("half a sen")))
    problems.push("the text of a broken attempt is in the log");
  return problems;
}
