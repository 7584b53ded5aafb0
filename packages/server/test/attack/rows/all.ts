import type { Row } from "../row.ts";
import { archiveRows } from "./archives.ts";
import { fileRows } from "./files.ts";
import { hostRows } from "./hosts.ts";
import { kernelRows } from "./kernel.ts";
import { limitRows } from "./limits.ts";
import { nameRows } from "./names.ts";
import { neighbourRows } from "./neighbours.ts";
import { networkRows } from "./network.ts";
import { processRows } from "./processes.ts";
import { raceRows } from "./races.ts";
import { secretRows } from "./secrets.ts";

/** Every attack that is run over the public API, in the order of the catalogue. */
export const rows: readonly Row[] = [
  ...kernelRows,
  ...secretRows,
  ...fileRows,
  ...archiveRows,
  ...raceRows,
  ...limitRows,
  ...processRows,
  ...networkRows,
  ...nameRows,
  ...hostRows,
  ...neighbourRows,
].toSorted((a, b) => (a.id < b.id ? -1 : 1));
