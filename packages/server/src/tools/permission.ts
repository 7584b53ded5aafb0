import type { Permissions } from "@berth/contract";
import { matchesGlob } from "./glob-match.ts";
import { baseName, isSimpleCommand, readShell } from "./shell-command.ts";
import type { ShellPart } from "./shell-reader.ts";
import type { Tool } from "./tool.ts";

export type Decision = "allow" | "ask" | "deny";

export interface PermissionResult {
  readonly permission: Decision;
  /** The rule or mode that decided, for example `deny bash_run(rm *)` or `mode approval`. */
  readonly rule: string;
}

export type PermissionTool = Pick<Tool, "name" | "effect" | "mainArgument"> &
  Partial<Pick<Tool, "touchesWorkspace" | "reachesOutside">>;

export interface PermissionQuestion {
  readonly permissions: Permissions;
  readonly tool: PermissionTool;
  readonly input: unknown;
  /** Permissions of the agents above a sub-agent: the strictest answer of the whole chain counts. */
  readonly intersect?: readonly Permissions[];
}

const strictness: Readonly<Record<Decision, number>> = { allow: 0, ask: 1, deny: 2 };

/**
 * Whether a tool call may run: deny, then allow-list, then require-approval, then the mode. A rule is a tool's name with
 * `*` for any characters, and may have a pattern of the tool's main argument: `bash_run(git *)`. A rule that allows must
 * match for certain; one that denies or asks matches also when it cannot be excluded.
 */
export function decidePermission({
  permissions,
  tool,
  input,
  intersect = [],
}: PermissionQuestion): PermissionResult {
  const results = [permissions, ...intersect].map((each) => decideOne(each, tool, input));
  return results.reduce((a, b) => (strictness[b.permission] > strictness[a.permission] ? b : a));
}

function decideOne(
  { deny, allow, requireApproval, mode }: Permissions,
  tool: PermissionTool,
  input: unknown,
): PermissionResult {
  const denied = deny.find((rule) => mayMatch(rule, tool, input));
  if (denied !== undefined) return { permission: "deny", rule: `deny ${denied}` };
  const allowed = allow.find((rule) => surelyMatches(rule, tool, input));
  if (allowed !== undefined) return { permission: "allow", rule: `allow ${allowed}` };
  const asked = requireApproval.find((rule) => mayMatch(rule, tool, input));
  if (asked !== undefined) return { permission: "ask", rule: `requireApproval ${asked}` };
  const rule = `mode ${mode}`;
  if (mode === "auto" || isHarmless(tool)) return { permission: "allow", rule };
  return { permission: mode === "approval" ? "ask" : "deny", rule };
}

/** Nobody is asked about a call that changes nothing but the session itself, such as its list of things to do. */
function isHarmless({ effect, touchesWorkspace, reachesOutside }: PermissionTool): boolean {
  return effect === "pure" || (touchesWorkspace === false && reachesOutside === false);
}

interface Rule {
  readonly name: string;
  /** Pattern of the main argument; null when the rule is for every call. */
  readonly pattern: string | null;
  /** False for a rule with an opening parenthesis that is not closed. */
  readonly wellFormed: boolean;
}

function parseRule(rule: string): Rule {
  const open = rule.indexOf("(");
  if (open === -1) return { name: rule.trim(), pattern: null, wellFormed: true };
  const closed = rule.trimEnd().endsWith(")");
  const pattern = closed ? rule.trimEnd().slice(open + 1, -1) : rule.slice(open + 1);
  return { name: rule.slice(0, open).trim(), pattern: pattern.trim(), wellFormed: closed };
}

function surelyMatches(rule: string, tool: PermissionTool, input: unknown): boolean {
  const { name, pattern, wellFormed } = parseRule(rule);
  if (!wellFormed || !matchesGlob(name, tool.name)) return false;
  if (pattern === null) return true;
  const argument = mainArgumentOf(tool, input);
  if (argument === null) return false;
  if (tool.mainArgument !== "command") {
    return matchesGlob(normalizedPattern(tool, pattern), normalized(tool, argument));
  }
  const command = trimmed(argument);
  return isSimpleCommand(command) && matchesCommand(pattern, command);
}

function mayMatch(rule: string, tool: PermissionTool, input: unknown): boolean {
  const { name, pattern, wellFormed } = parseRule(rule);
  if (!matchesGlob(name, tool.name)) return false;
  if (pattern === null || !wellFormed) return true;
  const argument = mainArgumentOf(tool, input);
  if (argument === null) return true;
  if (tool.mainArgument !== "command") {
    return (
      matchesGlob(pattern, argument) ||
      matchesGlob(normalizedPattern(tool, pattern), normalized(tool, argument))
    );
  }
  if (matchesCommand(pattern, trimmed(argument))) return true;
  const { parts, sure } = readShell(argument);
  return !sure || parts.some((part) => partMayMatch(pattern, part));
}

function partMayMatch(pattern: string, { words, open }: ShellPart): boolean {
  const [name = "", ...rest] = words;
  const [firstOfPattern = ""] = pattern.split(/\s/, 1);
  return [name, baseName(name)].some(
    (spelling) =>
      matchesCommand(pattern, [spelling, ...rest].join(" ")) ||
      (open && matchesGlob(firstOfPattern, spelling)),
  );
}

/** `git *` is also `git` alone. */
function matchesCommand(pattern: string, command: string): boolean {
  return matchesGlob(pattern, command) || (pattern.endsWith(" *") && pattern.slice(0, -2) === command);
}

/** An argument that is left out is empty; null when the tool has none or it is no text. */
function mainArgumentOf({ mainArgument }: PermissionTool, input: unknown): string | null {
  if (mainArgument === undefined || typeof input !== "object" || input === null) return null;
  const value: unknown = Object.hasOwn(input, mainArgument) ? Reflect.get(input, mainArgument) : "";
  return typeof value === "string" ? value : null;
}

/** One spelling for what means the same: `./a//b` as `a/b`, a URL as the URL standard writes it. */
function normalized({ mainArgument }: PermissionTool, argument: string): string {
  if (mainArgument === "url") return URL.parse(argument)?.href ?? argument;
  if (mainArgument !== "path") return argument;
  return argument
    .split("/")
    .filter((name, at) => name !== "." && (name !== "" || at === 0))
    .join("/");
}

function normalizedPattern(tool: PermissionTool, pattern: string): string {
  return tool.mainArgument === "path" ? normalized(tool, pattern) : pattern;
}

/** Without what a shell takes for space; other spaces are part of a command's name. */
function trimmed(command: string): string {
  let start = 0;
  let end = command.length;
  while (start < end && " \t\n".includes(command.charAt(start))) start++;
  while (end > start && " \t\n".includes(command.charAt(end - 1))) end--;
  return command.slice(start, end);
}
