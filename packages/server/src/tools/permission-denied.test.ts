import { permissions as permissionsSchema, type Permissions } from "@berth/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cpuMsOf } from "../../test/support/cpu-time.ts";
import { decidePermission, type PermissionTool } from "./permission.ts";

const bash: PermissionTool = { name: "bash_run", effect: "once", mainArgument: "command" };

const given = (rules: Partial<Permissions>): Permissions => permissionsSchema.parse(rules);
function decide(rules: Partial<Permissions>, tool: PermissionTool, input: unknown = {}) {
  return decidePermission({ permissions: given(rules), tool, input }).permission;
}
const run = (rules: Partial<Permissions>, command: string) => decide(rules, bash, { command });

describe("a denied command", () => {
  const rules = { deny: ["bash_run(rm *)"], mode: "auto" } as const;
  const deny = { ...rules, deny: [...rules.deny] };
  it.each([
    "rm x",
    "rm",
    "  rm   -rf   /",
    "ls; rm x",
    "ls && rm x",
    "ls|rm x",
    "ls&rm x",
    "ls\nrm x",
    "(rm x)",
    "{ rm x; }",
    "if true; then rm x; fi",
    "for f in *; do rm $f; done",
    "case x in x) rm x;; esac",
    "f() { rm x; }; f",
    "function f { rm x; }; f",
    "! rm x",
    "X=1 Y=$Z rm x",
    "> out rm x",
    ">&2 rm x",
    "2>/dev/null rm x",
    "&>out rm x",
    "ls 2>&1; rm x",
    "ls >| x; rm x",
    "/bin/rm x",
    '"rm" x',
    "r''m x",
    "r\\m x",
    "r\\\nm x",
    "r$(echo m) x",
    "$CMD x",
    "${CMD} x",
    "$'\\x72m' x",
    "/bin/r? x",
    "{rm,x}",
    "`echo rm` x",
    'echo "$(rm x)"',
    'echo "`rm x`"',
    "echo <(rm x)",
    "sudo -u root rm x",
    "env X=1 rm x",
    "xargs rm < list",
    "find . -exec rm {} +",
    "timeout 5 nice rm x",
    "bash -c 'rm x'",
    "echo 'rm x' | sh",
    "eval rm x",
    "source script",
    ". ./script",
    "python3 -c 'import os; os.remove(1)'",
    "perl -ne 'unlink'",
    `awk 'BEGIN { system("rm x") }'`,
    "cat <<EOF\n'\nEOF\nrm x\n#'",
    "# it's\nrm x",
    "echo 'open",
    'echo "open',
    "x ".repeat(6_000),
  ])("is found in: %j", (command) => expect(run(deny, command)).toBe("deny"));

  it.each([
    "ls",
    "echo rm",
    "git rm-all",
    "echo 'rm x'",
    "ls # rm x",
    'echo "$HOME"',
    "npm run rm",
    "[ -f x ] && ls",
    "python3 x.py",
    "ls 2>&1",
    "ls > rm x",
  ])("is not found in: %j", (command) => expect(run(deny, command)).toBe("allow"));

  it("is found behind any words and operators", () => {
    const before = fc.array(
      fc.tuple(fc.stringMatching(/^[a-z ./-]{1,10}$/), fc.constantFrom(";", "&&", "||", "|", "&", "\n")),
    );
    fc.assert(
      fc.property(before, fc.stringMatching(/^[a-z /.-]*$/), (commands, words) => {
        const text = `${commands.map(([command, operator]) => `${command} ${operator} `).join("")}rm ${words}`;
        expect(run(deny, text)).toBe("deny");
      }),
    );
  });

  it("is decided in time for any text", () => {
    const texts = [
      "xargs ".repeat(2_000),
      "a;".repeat(60_000),
      "(".repeat(9_000),
      " ".repeat(100_000) + "x",
      "$".repeat(9_999),
    ];
    const took = cpuMsOf(() => {
      for (const command of texts)
        run({ deny: ["bash_run(*a*a*a*b)"], allow: ["bash_run(*a*a*a*b)"] }, command);
    });
    expect(took).toBeLessThan(1_000);
  });
});
