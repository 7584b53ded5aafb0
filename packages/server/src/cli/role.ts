import type { Role } from "@berth/client";
import { Command } from "commander";
import type { Actions } from "./context.ts";
import { inOrg } from "./identity/org-option.ts";
import { safeText } from "./terminal/safe-text.ts";

const examples = `
Examples:
  ./berth role list
  ./berth role put auditor --permissions audit:read,usage:read --description "reads what was done"
  ./berth user role grace@acme.example auditor
  ./berth role delete auditor`;

interface PutFlags {
  readonly permissions: string;
  readonly description?: string;
}

export function roleCommand(actions: Actions): Command {
  const role = new Command("role").description("Show roles, and make roles of your own.");
  role.addHelpText("after", examples);
  const list = inOrg(role.command("list").description("List roles and what they allow."));
  actions.bind(list, async ({ client, print, printer, signal }) => {
    const { items } = await (await client()).roles.list({ signal });
    print(items, () => safeText(items.map((one) => shown(one, printer.width)).join("\n")));
  });
  const put = inOrg(
    role
      .command("put <name>")
      .description("Make a role, or change it for all who have it.")
      .requiredOption("--permissions <list>", "joined by commas: audit:read,usage:read")
      .option("--description <text>", "what it is for"),
  );
  actions.bind<PutFlags>(put, async ({ client, args, flags, print }) => {
    const permissions = flags.permissions
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
    const made = await (
      await client()
    ).roles.put(args[0] ?? "", {
      permissions,
      ...(flags.description !== undefined && { description: flags.description }),
    });
    print(made, safeText(`Role ${made.name} allows: ${made.permissions.join(", ")}\n`));
  });
  const remove = inOrg(role.command("delete <name>").description("Delete a role that nobody has."));
  actions.bind(remove, async ({ client, args, print }) => {
    const [name = ""] = args;
    await (await client()).roles.delete(name);
    print({ deleted: name }, safeText(`Role ${name} is gone.\n`));
  });
  return role;
}

/** A role, and under it all that it allows, in lines of the given width. */
function shown({ name, builtin, description, permissions }: Role, width: number): string {
  const lines: string[] = [];
  for (const permission of permissions) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + permission.length < width)
      lines.splice(-1, 1, `${last} ${permission}`);
    else lines.push(`  ${permission}`);
  }
  const head = `${name} (${builtin ? "built in" : "your own"})${description === "" ? "" : `: ${description}`}`;
  return `${[head, ...lines].join("\n")}\n`;
}
