import type { Command } from "commander";
import type { Actions } from "../context.ts";
import { inOrg } from "../identity/org-option.ts";
import { inSandbox, sandboxOf } from "./in-sandbox.ts";

export function bindSandboxChanges(actions: Actions, sandbox: Command): void {
  const create = inSandbox(
    sandbox
      .command("create <session>")
      .description("Give a session its sandbox now, before a command needs it."),
  );
  actions.bind(create, async (context) => {
    const { client, args, print } = context;
    const made = await sandboxOf(context, await client(), args[0] ?? "");
    print(made, `${made.id}\n`);
  });
  const destroy = inOrg(
    sandbox
      .command("destroy <sandbox>")
      .description(
        "End what runs in a sandbox and take it back. Files stay; the next command gets a new one.",
      ),
  );
  actions.bind(destroy, async ({ client, args, print, signal }) => {
    const [id = ""] = args;
    await (await client()).sandboxes.destroy(id, { signal });
    print({ destroyed: id }, `Sandbox ${id} is taken back.\n`);
  });
}
