import { bodyOf, type Door, send } from "../../support/server/api.ts";
import type { Random } from "../random.ts";

/** What one session was promised. */
export interface Promised {
  readonly sessionId: string;
  /** Lines of `log` in its workspace whose command was answered. */
  readonly lines: string[];
  written: number;
}

export interface LifeScene {
  readonly door: Door;
  readonly random: Random;
  readonly sessions: readonly Promised[];
  /** Is told the id of each sandbox that somebody got. */
  readonly onSandbox: (id: string) => void;
  readonly stopping: () => boolean;
}

/** What hostile and careless commands leave behind, each bounded in itself. */
const leaving = [
  "sleep 600 &",
  "setsid sleep 600 >/dev/null 2>&1 &",
  "(env -i setsid sh -c 'sleep 600 & exit' >/dev/null 2>&1 &)",
  "mkdir -p a/b && mkfifo a/pipe && (cat a/pipe >/dev/null &)",
];

/** People use their sandboxes until the server dies: the first request that gets no whole answer ends it. */
export async function useUntilDeath(scene: LifeScene): Promise<void> {
  await Promise.all(scene.sessions.map((session) => oneOf(scene, session)));
}

async function oneOf({ door, random: all, onSandbox, stopping }: LifeScene, session: Promised) {
  const random = all.branch(session.sessionId);
  const { sessionId } = session;
  try {
    while (!stopping()) {
      const given = await send(door, { method: "POST", path: "/sandboxes", body: { sessionId } });
      if (given.status >= 400) continue;
      const { id } = bodyOf<{ id: string }>(given, 200, 201);
      onSandbox(id);
      const line = `${++session.written}`;
      const command = `echo ${line} >> log; ${random.pick(leaving)} true`;
      const ran = await send(door, { method: "POST", path: `/sandboxes/${id}/exec`, body: { command } });
      if (ran.status === 200 && (ran.json as { code: number }).code === 0) session.lines.push(line);
      const spawn = { command: "sleep 600" };
      await send(door, { method: "POST", path: `/sandboxes/${id}/processes`, body: spawn });
      if (random.chance(0.6)) await send(door, { method: "DELETE", path: `/sandboxes/${id}` });
    }
  } catch {
    // The server died: that is what this is about.
  }
}
