import { createTranscript, type FollowState } from "@berth/client";
import type { Command } from "commander";
import { createRenderer } from "../chat/renderer.ts";
import type { Actions } from "../context.ts";

interface TailFlags {
  readonly fromStart?: boolean;
  readonly after?: string;
  readonly untilIdle?: boolean;
}

export function bindSessionTail(actions: Actions, sessions: Command): void {
  const command = sessions
    .command("tail <id>")
    .description(
      "Watch a session, over any number of reconnects. A pipe gets what its log holds; with --json every event is a line.",
    )
    .option("--from-start", "begin with its first event; each line has its event's number")
    .option("--after <cursor>", "begin after a cursor, as --json prints it")
    .option("--until-idle", "end when no run goes on");
  actions.bind<TailFlags>(command, async ({ client, args, flags, printer, signal }) => {
    const berth = await client();
    const id = args[0] ?? "";
    const { generation, lastSeq, status } = await berth.sessions.get(id, { signal });
    const after = flags.after ?? (flags.fromStart === true ? null : `${generation}.${lastSeq}`);
    const isBusy = status === "running" || status === "waiting";
    const untilIdle = flags.untilIdle === true;
    if (untilIdle && !isBusy && after === `${generation}.${lastSeq}`) return;
    const stop = new AbortController();
    const transcript = createTranscript();
    let at = "";
    const renderer = createRenderer(printer, { whole: true, mark: () => at });
    const onState = (state: FollowState) => {
      if (state.status === "reconnecting" && state.attempt === 0)
        printer.err("connection lost, connecting again\n");
    };
    const until = AbortSignal.any([signal, stop.signal]);
    for await (const event of berth.session(id).events({ after, signal: until, onState })) {
      const isLogged = "seq" in event;
      at = flags.fromStart === true && isLogged ? `${printer.style("dim", `#${event.seq}`)} ` : "";
      if (flags.json === true) printer.out(`${JSON.stringify(event)}\n`);
      // Text that is only being written is for people: what is read from a pipe is the same whenever it is read.
      else if (isLogged || printer.interactive) {
        renderer.show(transcript.apply(event));
        if (event.type === "todo.changed") renderer.todos(event.data.todos);
      }
      const caughtUp = isLogged && event.seq >= lastSeq;
      if (untilIdle && caughtUp && (!isBusy || event.type === "run.finished")) stop.abort();
    }
    renderer.end();
  });
}
