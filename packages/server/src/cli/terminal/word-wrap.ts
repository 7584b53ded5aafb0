/** Breaks a text at its spaces while it grows, on a terminal. */
export interface WordWrap {
  /** What to write for the next piece. */
  add(piece: string): string;
  /** Something else was written on this line. */
  skip(text: string): void;
  /** A new line has begun. */
  restart(): void;
}

/** `width` is the terminal's, in columns. A word of which a part is written already is taken back and written on the next line. */
export function createWordWrap(width: number): WordWrap {
  let column = 0;
  /** The end of the word that is being written, from its first character on this line. */
  let word = "";
  let wordColumns = 0;

  function restart(): void {
    column = 0;
    word = "";
    wordColumns = 0;
  }
  function one(character: string): string {
    if (character === "\n") {
      restart();
      return character;
    }
    const columns = character === "\t" ? 8 - (column % 8) : columnsOf(character);
    if (/\s/.test(character)) {
      word = "";
      wordColumns = 0;
      // A space where the line ends is the line's end.
      if (column + columns >= width) {
        restart();
        return "\n";
      }
      column += columns;
      return character;
    }
    const moves = column + columns >= width && wordColumns < column;
    const back = moves ? `${wordColumns > 0 ? `\u001b[${wordColumns}D` : ""}\u001b[K\n${word}` : "";
    if (moves) column = wordColumns;
    word += character;
    wordColumns += columns;
    // A word as long as a line is broken where the line ends.
    const broken = column + columns >= width;
    if (broken) restart();
    column += columns;
    if (broken) {
      word = character;
      wordColumns = columns;
    }
    return `${back}${broken ? "\n" : ""}${character}`;
  }

  return {
    add: (piece) => Array.from(piece, one).join(""),
    skip: (text) => void (column += Array.from(text.replace(/\u001b\[[0-9;]*m/g, "")).length),
    restart,
  };
}

/** Marks that stand on the character before them, and characters that are two columns wide. */
function columnsOf(character: string): number {
  if (/\p{M}|\u200d/u.test(character)) return 0;
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
    character,
  )
    ? 2
    : 1;
}
