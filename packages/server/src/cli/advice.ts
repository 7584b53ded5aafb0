import { safeText } from "./terminal/safe-text.ts";

/** What the API advises, and what a person at the command line does instead. */
const translations: readonly (readonly [RegExp, string])[] = [
  [/:? send the key as `Authorization[^\n]*/, "."],
  [/GET \/api\/v1\/models lists (?:what there is|those there are)/, "./berth models lists what there is"],
  [/GET \/api\/v1\/tools lists what there is/, "./berth tools lists what there is"],
  [
    /\b(agent|session) (\S+) is archived: take it out of the archive first/i,
    "$1 $2 is archived: take it out with ./berth $1s archive $2 --undo",
  ],
];

/** A message of the server for the command line: the commands to use in place of routes, and nothing that moves a cursor. */
export function advised(message: string): string {
  const text = translations.reduce((said, [from, to]) => said.replace(from, to), message);
  return safeText(text.replace(/\.\/berth (Agent|Session)s/, (command) => command.toLowerCase()));
}
