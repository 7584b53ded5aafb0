/** What a message asks of the model, readable in a story: `#S3.2 do peek+fire; ask_fire` is two turns, the first with two calls. */
export interface Script {
  readonly tag: string;
  readonly turns: readonly (readonly string[])[];
}

/** Null when a text is no script: the model answers it with words. */
export function parseScript(text: string): Script | null {
  const found = /#(\S+) do ([^\n]*)/.exec(text);
  if (found === null) return null;
  const [, tag = "", rest = ""] = found;
  const turns = rest.split(";").map((turn) =>
    turn
      .trim()
      .split("+")
      .filter((word) => word !== ""),
  );
  return { tag, turns };
}

export function scriptText(tag: string, turns: readonly (readonly string[])[]): string {
  return `#${tag} do ${turns.map((turn) => turn.join("+")).join("; ")}`;
}
