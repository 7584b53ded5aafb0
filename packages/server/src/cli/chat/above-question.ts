import { clearScreenDown, cursorTo, type Interface, moveCursor } from "node:readline";

/** Writes above a question that waits, in whole lines, and draws the question anew. */
export interface AboveQuestion {
  write(text: string, write: (text: string) => void): void;
  /** Nothing is asked any more: writes the half line that is left. */
  flush(): void;
}

export function createAboveQuestion(lines: Interface, stdout: NodeJS.WritableStream): AboveQuestion {
  let half = "";
  let writeHalf: (text: string) => void = () => {};
  return {
    write(text, write) {
      const all = half + text;
      const end = all.lastIndexOf("\n") + 1;
      half = all.slice(end);
      writeHalf = write;
      if (end === 0) return;
      const { rows } = lines.getCursorPos();
      moveCursor(stdout, 0, -rows);
      cursorTo(stdout, 0);
      clearScreenDown(stdout);
      write(all.slice(0, end));
      // The redrawing begins by going up to where the question began.
      stdout.write("\n".repeat(rows));
      lines.prompt(true);
    },
    flush() {
      const text = half;
      half = "";
      if (text !== "") writeHalf(text);
    },
  };
}
