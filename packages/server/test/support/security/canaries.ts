import { randomBytes } from "node:crypto";
import { basename } from "node:path";
import { filesBelow } from "./files-below.ts";

/** Secrets of a test, each known by its area: none of them may be found anywhere outside. */
export class Canaries {
  readonly #all = new Map<string, string>();

  /** A secret that nobody has had before. */
  make(area: string): string {
    const text = `CANARY_${area}_${randomBytes(32).toString("base64url")}`;
    this.#all.set(area, text);
    return text;
  }

  /** A secret that somebody else made: a key, a token. */
  keep(area: string, secret: string): string {
    this.#all.set(area, secret);
    return secret;
  }

  forget(area: string): void {
    this.#all.delete(area);
  }

  /** The areas whose secrets stand in a text, as they are, in JSON, in a URL or in base64. */
  in(text: string): string[] {
    return [...this.#all]
      .filter(([, secret]) => formsOf(secret).some((form) => text.includes(form)))
      .map(([area]) => area);
  }

  /** The areas whose secrets stand in a file of a folder, with the file's path, but in files with these names. */
  async inFolder(folder: string, but: readonly string[]): Promise<string[]> {
    const files = [...(await filesBelow(folder))].filter(([path]) => !but.includes(basename(path)));
    return files.flatMap(([path, bytes]) =>
      this.in(bytes.toString("latin1")).map((area) => `${area} in ${path}`),
    );
  }
}

function formsOf(secret: string): readonly string[] {
  return [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString("base64").replace(/=+$/, "").slice(0, -2),
  ];
}
