/** Values of columns of one row, by their names. */
export type Columns = Record<string, string | number | null>;

/** The columns as an UPDATE sets them, in the order of their values. */
export function assignments(columns: Columns): string {
  let text = "";
  for (const name in columns) text += text === "" ? `${name} = ?` : `, ${name} = ?`;
  return text;
}
