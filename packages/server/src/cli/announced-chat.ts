import type { LoadedConfig } from "../config/load.ts";

const defaultUrl = "http://127.0.0.1:7420";

/**
 * What to type in another terminal to talk with an agent of the server that started: there, none of this one's flags and
 * variables are known.
 */
export function announcedChat(
  { url, dataDir }: { readonly url: string; readonly dataDir: string },
  { settings }: Pick<LoadedConfig, "settings">,
): string {
  const moved = settings.some(({ name, source }) => name === "data" && source !== "default");
  // The lock of the data folder tells where a server answers that listens everywhere.
  const told = url === defaultUrl || /\/\/(0\.0\.0\.0|\[::\])/.test(url);
  const words = [
    "./berth chat",
    ...(told ? [] : [`--url ${url}`]),
    ...(moved ? [`--data ${shellWord(dataDir)}`] : []),
  ];
  return words.join(" ");
}

function shellWord(text: string): string {
  return /^[\w./:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
