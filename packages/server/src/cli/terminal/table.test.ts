import { expect, it } from "vitest";
import { table } from "./table.ts";

it("puts columns under their heads and cuts a text at the end of the line", () => {
  const rows = [
    ["ses_1", "a title that goes on and on"],
    ["ses_22", "short"],
  ];
  expect(table(["ID", "TITLE"], rows, 30)).toBe(
    ["ID      TITLE", "ses_1   a title that goes on …", "ses_22  short", ""].join("\n"),
  );
});

it("shows a single word in the last column whole, and none in another that is wider than the line", () => {
  const file = `/var/lib/berth/backups/${"x".repeat(40)}.backup`;
  expect(table(["SIZE", "FILE"], [["741 KiB", file]], 40)).toBe(`SIZE     FILE\n741 KiB  ${file}\n`);
  const [, row] = table(["NAME", "OF"], [["n".repeat(100), "x"]], 40).split("\n");
  expect(row).toBe(`${"n".repeat(39)}…  x`);
});
