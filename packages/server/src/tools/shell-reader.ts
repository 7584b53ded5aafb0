/** One command of a shell text, as far as it can be told without running it. */
export interface ShellPart {
  /** Its words with quotes, assignments and leading keywords taken away. */
  readonly words: readonly string[];
  /** An expansion or a redirection is among its words, so that what it runs with is not known. */
  readonly open: boolean;
}

const separators = new Set([";", "&", "|", "\n", "(", ")"]);
const keywords = new Set("! { } if then elif else fi while until do done case esac".split(" "));
const assignment = /^\w+(\[[^\]]*\])?\+?=/;
/** What follows a `$` that stands for a value and runs nothing. */
const parameter = /^(?:\w+|\{\w+\}|[@*#?$!-])/;

/** Takes a text for `bash -c` apart into its commands, in one pass. */
export class ShellReader {
  readonly #text: string;
  readonly #parts: ShellPart[] = [];
  #at = 0;
  #words: string[] = [];
  #word: string | null = null;
  #open = false;
  #sure = true;
  /** The next word is a redirection's file. */
  #redirected = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** `sure` is false when the text can run commands that are not among the parts. */
  read(): { readonly parts: readonly ShellPart[]; readonly sure: boolean } {
    while (this.#at < this.#text.length) this.#step(this.#text.charAt(this.#at++));
    this.#endPart();
    return { parts: this.#parts, sure: this.#sure };
  }

  #step(char: string): void {
    if (separators.has(char)) this.#endPart();
    else if (char === " " || char === "\t") this.#endWord();
    else if (char === "#" && this.#word === null) this.#skipComment();
    else if (char === "'") this.#readLiteral();
    else if (char === '"') this.#readQuoted();
    else if (char === "$") this.#readExpansion();
    else if (char === "`") this.#sure = false;
    else if (char === "<" || char === ">") this.#readRedirection(char);
    else if (char === "\\") this.#readEscape();
    else this.#add(char);
  }

  #add(text: string): void {
    this.#word = (this.#word ?? "") + text;
  }

  #endWord(): void {
    const word = this.#word;
    this.#word = null;
    if (word === null) return;
    if (this.#redirected) {
      this.#redirected = false;
      return;
    }
    if (this.#words.length === 0) {
      if (keywords.has(word) || assignment.test(word)) return;
      // Braces and wildcards make another name of it.
      if (/[{*?[]/.test(word) && !/^\[{1,2}$/.test(word)) this.#sure = false;
    }
    this.#words.push(word);
  }

  #endPart(): void {
    this.#endWord();
    if (this.#words.length > 0) this.#parts.push({ words: this.#words, open: this.#open });
    this.#words = [];
    this.#open = false;
    this.#redirected = false;
  }

  #skipComment(): void {
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end === -1 ? this.#text.length : end;
  }

  #readLiteral(): void {
    const end = this.#text.indexOf("'", this.#at);
    if (end === -1) this.#sure = false;
    this.#add(this.#text.slice(this.#at, end === -1 ? undefined : end));
    this.#at = end === -1 ? this.#text.length : end + 1;
  }

  #readQuoted(): void {
    this.#add("");
    for (;;) {
      const char = this.#text.charAt(this.#at++);
      if (char === '"') return;
      if (char === "") {
        this.#sure = false;
        return;
      }
      if (char === "\\") this.#readEscape();
      else if (char === "$") this.#readExpansion();
      else if (char === "`") this.#sure = false;
      else this.#add(char);
    }
  }

  #readEscape(): void {
    const next = this.#text.charAt(this.#at++);
    if (next !== "\n") this.#add(next);
  }

  #readExpansion(): void {
    this.#open = true;
    const rest = this.#text.slice(this.#at, this.#at + 200);
    const name = parameter.exec(rest)?.[0];
    if (name === undefined) {
      if (/^[({'"[`]/.test(rest)) this.#sure = false;
      this.#add("$");
      return;
    }
    // A command's own name that is built from a value is not known.
    if (this.#words.length === 0 && !assignment.test(this.#word ?? "")) this.#sure = false;
    this.#at += name.length;
    this.#add(`$${name}`);
  }

  #readRedirection(char: string): void {
    // What follows `<<` is text and not commands, up to a line that is not looked for here.
    if (char === "<" && this.#text.charAt(this.#at) === "<") this.#sure = false;
    // `2>` names a descriptor, `>&` and `>|` are one operator.
    if (/^\d+$/.test(this.#word ?? "")) this.#word = null;
    this.#endWord();
    if ("<>&|".includes(this.#text.charAt(this.#at)) && this.#at < this.#text.length) this.#at++;
    this.#open = true;
    this.#redirected = true;
  }
}
