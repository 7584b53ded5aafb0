import { EventEmitter } from "node:events";
import type { Command } from "commander";

/** Gives each command that has no examples of its own those that a command above it has for it. */
export function passExamplesDown(command: Command): void {
  for (const one of command.commands) {
    passExamplesDown(one);
    if (one.commands.length === 0 && !/Examples?:/.test(textAfter(one)))
      one.addHelpText("after", () => inherited(one));
  }
}

function inherited(command: Command): string {
  const words = pathOf(command);
  for (let above = command.parent; above !== null; above = above.parent) {
    const lines = textAfter(above)
      .split("\n")
      .filter((line) => `${line.trim()} `.startsWith(`${words} `));
    if (lines.length > 0) return `\nExamples:\n${lines.join("\n")}`;
  }
  return "";
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** What a command's help says after its options: commands are emitters, and added texts listen to this event. */
function textAfter(command: Command): string {
  if (!(command instanceof EventEmitter)) return "";
  let text = "";
  const write = (piece: string) => {
    text += piece;
  };
  command.emit("afterHelp", { error: false, command, write });
  return text;
}
