import { failpoints } from "../../lib/failpoint.ts";
import type { Setting } from "../setting.ts";
import { optional } from "../setting.ts";

const failpointName: Setting<string> = {
  help: "Kills the process at a named place, `name@n` at its n-th time: for the fault tests only.",
  type: "name of a failpoint, or name@n",
  hidden: true,
  inFile: false,
  default: "",
  secret: false,
  read(raw) {
    const written = String(raw);
    const [name, nth = "1"] = written.split("@");
    if (failpoints.some((known) => known === name) && /^[1-9]\d*$/.test(nth)) return written;
    throw new Error(`must be the name of a failpoint, or name@n, not ${JSON.stringify(raw)}`);
  },
  show: (value) => value,
};

export const testingSettings = { failpoint: optional(failpointName) } as const;
