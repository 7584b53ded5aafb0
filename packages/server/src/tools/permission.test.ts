import { permissions as permissionsSchema, type Permissions } from "@berth/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decidePermission, type PermissionTool } from "./permission.ts";

const bash: PermissionTool = { name: "bash_run", effect: "once", mainArgument: "command" };
const read: PermissionTool = { name: "fs_read", effect: "pure", mainArgument: "path" };
const write: PermissionTool = { name: "fs_write", effect: "idempotent", mainArgument: "path" };
const fetchTool: PermissionTool = { name: "web_fetch", effect: "pure", mainArgument: "url" };
const client: PermissionTool = { name: "ask_user", effect: "once" };

const given = (rules: Partial<Permissions>): Permissions => permissionsSchema.parse(rules);
function decide(rules: Partial<Permissions>, tool: PermissionTool, input: unknown = {}) {
  return decidePermission({ permissions: given(rules), tool, input }).permission;
}
const run = (rules: Partial<Permissions>, command: string) => decide(rules, bash, { command });

describe("modes", () => {
  it.each([
    ["auto", "allow", "allow"],
    ["approval", "allow", "ask"],
    ["readonly", "allow", "deny"],
  ] as const)("%s: %s what is pure, %s the rest", (mode, pure, rest) => {
    expect(decide({ mode }, read)).toBe(pure);
    for (const tool of [write, bash, client]) expect(decide({ mode }, tool)).toBe(rest);
  });
});

describe("a tool that changes nothing but its session", () => {
  const todo: PermissionTool = {
    name: "todo_write",
    effect: "idempotent",
    touchesWorkspace: false,
    reachesOutside: false,
  };

  it("is asked about in no mode", () => {
    for (const mode of ["auto", "approval", "readonly"] as const)
      expect(decide({ mode }, todo)).toBe("allow");
  });

  it("still obeys the rules that name it", () => {
    expect(decide({ mode: "auto", deny: ["todo_*"] }, todo)).toBe("deny");
    expect(decide({ mode: "auto", requireApproval: ["todo_write"] }, todo)).toBe("ask");
  });
});

describe("order of the rules", () => {
  it("denies before it allows, allows before it asks, and asks before the mode", () => {
    const all = { deny: ["fs_write"], allow: ["fs_*"], requireApproval: ["*"], mode: "auto" } as const;
    const rules = {
      ...all,
      deny: [...all.deny],
      allow: [...all.allow],
      requireApproval: [...all.requireApproval],
    };
    expect(decidePermission({ permissions: given(rules), tool: write, input: {} })).toEqual({
      permission: "deny",
      rule: "deny fs_write",
    });
    expect(decidePermission({ permissions: given(rules), tool: read, input: {} })).toEqual({
      permission: "allow",
      rule: "allow fs_*",
    });
    expect(decidePermission({ permissions: given(rules), tool: bash, input: {} })).toEqual({
      permission: "ask",
      rule: "requireApproval *",
    });
    expect(decidePermission({ permissions: given({ mode: "auto" }), tool: bash, input: {} }).rule).toBe(
      "mode auto",
    );
  });
});

describe("patterns of arguments", () => {
  it("matches a path in any spelling", () => {
    for (const path of ["secrets/key", "./secrets/key", "secrets//key", "./././secrets/./key"]) {
      expect(decide({ deny: ["fs_*(secrets/*)"] }, read, { path })).toBe("deny");
      expect(decide({ deny: ["fs_*(./secrets/*)"] }, read, { path })).toBe("deny");
    }
    expect(decide({ deny: ["fs_*(secrets/*)"] }, read, { path: "public/secrets/key" })).toBe("allow");
    expect(decide({ allow: ["fs_write(src/*)"] }, write, { path: "./src/a.ts" })).toBe("allow");
    expect(decide({ allow: ["fs_write(src/*)"] }, write, { path: "srcs/a.ts" })).toBe("ask");
  });

  it("matches a URL as the URL standard writes it", () => {
    const rules = { mode: "readonly", deny: ["web_fetch(https://evil.example/*)"] } as const;
    const deny = { ...rules, deny: [...rules.deny] };
    for (const url of [
      "https://EVIL.example/x",
      "https:evil.example/x",
      "https://evil.example:443/x",
      " https://evil.example/",
    ]) {
      expect(decide(deny, fetchTool, { url })).toBe("deny");
    }
    expect(decide(deny, fetchTool, { url: "https://good.example/https://evil.example/" })).toBe("allow");
  });

  it("denies and asks when there is nothing to match with, and does not allow", () => {
    for (const [tool, input] of [
      [client, { x: 1 }],
      [write, { path: 7 }],
      [write, null],
    ] as const) {
      const rule = `${tool.name}(x*)`;
      expect(decide({ deny: [rule] }, tool, input)).toBe("deny");
      expect(decide({ requireApproval: [rule], mode: "auto" }, tool, input)).toBe("ask");
      expect(decide({ allow: [rule], mode: "readonly" }, tool, input)).toBe("deny");
    }
  });

  it("takes a rule that is not closed as one for every call when it denies, for none when it allows", () => {
    expect(run({ deny: ["bash_run(git *"] }, "ls")).toBe("deny");
    expect(run({ allow: ["bash_run(git *"] }, "git status")).toBe("ask");
  });
});

describe("an allowed command", () => {
  const rules = { allow: ["bash_run(git *)", "bash_run(npm test)"] };
  it.each([
    "git status",
    " git log --oneline -n 5 ",
    "git",
    "npm test",
    `git commit -m "a; b && c"`,
    "git show 'a$(b)`c`'",
  ])("may run: %s", (command) => expect(run(rules, command)).toBe("allow"));

  it.each([
    "git status; rm -rf /",
    "git status && rm -rf /",
    "git status || rm x",
    "git status | sh",
    "git status & rm x",
    "git status\nrm x",
    "git log $(rm x)",
    'git log "$(rm x)"',
    "git log `rm x`",
    'git log "`rm x`"',
    "git log > .bashrc",
    "git log >> x",
    "git apply < x",
    "git log <(rm x)",
    "git log ${x:-$(rm x)}",
    "git $X",
    "git log 'a' \\; rm",
    "git log 'a\\'; rm x; echo '",
    "X=1 git status",
    "(git status)",
    "{ git status; }",
    "git'x' status",
    "gitx status",
    "npm test; rm x",
    "npm test x",
    "git log # x",
    "git log \r rm",
    "\u00a0git status",
    "",
  ])("is only a simple one, not: %j", (command) => expect(run(rules, command)).toBe("ask"));

  it("stays simple only without what begins another command", () => {
    const tail = fc.tuple(
      fc.constantFrom(";", "&&", "||", "|", "&", "\n", "$(", "`", ">", "<", "${", "(", "\\\n"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[\w ./-]*$/), tail, (words, [operator, rest]) => {
        expect(run(rules, `git ${words}${operator}${rest}x`)).toBe("ask");
      }),
    );
  });
});

describe("sub-agents", () => {
  const anyRules = fc.record({
    mode: fc.constantFrom("auto", "approval", "readonly"),
    allow: fc.subarray(["fs_write", "bash_run(git *)", "*"]),
    deny: fc.subarray(["fs_write(a*)", "bash_run(rm *)"]),
    requireApproval: fc.subarray(["fs_*", "bash_run(git push*)"]),
  });
  const anyCall = fc.oneof(
    fc.record({ tool: fc.constant(write), input: fc.record({ path: fc.constantFrom("a", "b") }) }),
    fc.record({
      tool: fc.constant(bash),
      input: fc.record({ command: fc.constantFrom("git push", "rm x", "ls") }),
    }),
  );
  const order = ["allow", "ask", "deny"];

  it("get the strictest answer of their chain", () => {
    fc.assert(
      fc.property(
        anyRules,
        fc.array(anyRules, { maxLength: 3 }),
        anyCall,
        (own, parents, { tool, input }) => {
          const intersect = parents.map(given);
          const result = decidePermission({ permissions: given(own), tool, input, intersect });
          const alone = [own, ...parents].map((rules) => order.indexOf(decide(rules, tool, input)));
          expect(order.indexOf(result.permission)).toBe(Math.max(...alone));
        },
      ),
    );
  });
});
