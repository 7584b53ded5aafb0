/** Text that arrives in pieces, each with its attempt and its place. */
export interface LiveText {
  readonly attempt: number;
  readonly text: string;
}

export interface Piece {
  readonly attempt: number;
  /** UTF-16 code units of the text before this piece. */
  readonly offset: number;
  readonly text: string;
}

/**
 * The text with a piece laid on. A higher attempt replaces what is there and a lower one is dropped. A piece after a gap is
 * dropped too: the part so far or the finished block will follow, so text may be late, but never wrong.
 */
export function addPiece(current: LiveText | null, piece: Piece): LiveText {
  if (current !== null && piece.attempt < current.attempt) return current;
  const known = current !== null && piece.attempt === current.attempt ? current.text : "";
  const { attempt, offset, text } = piece;
  if (offset > known.length) return { attempt, text: known };
  const end = offset + text.length;
  return { attempt, text: end <= known.length ? known : known.slice(0, offset) + text };
}
