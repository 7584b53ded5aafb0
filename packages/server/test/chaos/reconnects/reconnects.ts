import type { Door } from "../../support/server/api.ts";
import { startServer } from "../../support/server/server-process.ts";
import { mockProviderAt, type Rig } from "../kill-loop/rig.ts";
import { startMockEndpoint } from "../kill-loop/mock-endpoint.ts";
import type { PartScene } from "../part.ts";
import { repository } from "../repository.ts";
import { beginConversations, groupsFor, talk } from "./conversations.ts";
import { type CuttingProxy, startCuttingProxy } from "./cutting-proxy.ts";
import { cutUntilEnough, reconnectsOf } from "./cuts.ts";
import { compare, tellByTransport } from "./verdict.ts";

/** Followers of sessions at work, through a proxy that cuts their connections at random moments and in the middle of messages. */
export async function reconnectsPart(part: PartScene): Promise<void> {
  const mock = await startMockEndpoint(part.random.branch("mock"));
  const rig = part.rig({ name: "reconnects", providers: [mockProviderAt(mock.url)] });
  const server = await startServer({ ...rig, root: repository }).ready;
  const proxy = await startCuttingProxy(server.url);
  try {
    await run(part, { rig, proxy, url: server.url });
  } finally {
    await proxy.close();
    await server.end("SIGTERM");
    await mock.close();
  }
}

async function run(
  { options, random, checklist, say }: PartScene,
  { rig, proxy, url }: { rig: Rig; proxy: CuttingProxy; url: string },
): Promise<void> {
  const direct: Door = { url, apiKey: rig.apiKey };
  const cuttable: Door = { url: proxy.url, apiKey: rig.apiKey };
  const wanted = options.reconnects;
  const conversations = await beginConversations(groupsFor(wanted), {
    doors: { direct, cuttable },
    checklist,
  });
  const { all } = conversations;
  const talking = new AbortController();
  const talks = all.map((each, index) =>
    talk(direct, each, { random: random.branch(`talk ${index}`), signal: talking.signal }),
  );
  const cutting = { proxy, random: random.branch("cuts"), conversations, wanted, say };
  const { resets, within, seconds } = await cutUntilEnough(cutting);
  const done = reconnectsOf(conversations);
  checklist.check("followers connected again as often as was wanted", done >= wanted, () => String(done));
  talking.abort();
  await Promise.all(talks);
  for (const each of all) await compare(checklist, direct, each);
  conversations.close();
  const followers = all.flatMap((each) => each.followers);
  const rate = Math.round(done / seconds);
  say(
    `${resets} connections reset and ${within} cut within a message: ${done} reconnects in ${Math.round(seconds)} s, ${rate} a second`,
  );
  for (const line of tellByTransport(checklist, followers)) say(line);
}
