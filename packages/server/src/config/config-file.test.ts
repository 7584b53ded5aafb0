import { chmodSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ConfigFolder, createConfigFolder } from "../../test/support/config-folder.ts";

let folder: ConfigFolder;
beforeEach(() => {
  folder = createConfigFolder();
});
afterEach(() => folder.remove());

describe("the configuration file", () => {
  it("can be named, and then say where the data is", () => {
    const file = folder.write({ data: "/srv/berth", port: 1 }, { name: "mine.json" });
    expect(folder.load({ flags: { config: "mine.json" } })).toMatchObject({
      file,
      config: { data: "/srv/berth", port: 1 },
    });
    expect(folder.load({ env: { BERTH_CONFIG: file } }).config.port).toBe(1);
  });

  it("is looked for in the data folder that is named outside", () => {
    folder.write({ port: 5 });
    expect(folder.load({ flags: { data: join(folder.path, "berth-data") } }).config.port).toBe(5);
    expect(folder.load({ flags: { data: join(folder.path, "another") } }).config.port).toBe(7420);
  });

  it("must be there when it is named", () => {
    expect(folder.problems({ flags: { config: "none.json" } })).toEqual([
      `${join(folder.path, "none.json")} cannot be read (ENOENT): check that the file exists and that you may read it`,
    ]);
  });

  it.each([
    ["[1]", "must hold one JSON object"],
    ['{"openaiApiKey": "CANARY_json" oops}', "is not valid JSON at line 1 column"],
    ["", "is not valid JSON"],
  ])("must be a JSON object, not %s", (content, detail) => {
    const file = folder.write(content);
    const problems = folder.problems();
    expect(problems).toEqual([expect.stringContaining(`${file} ${detail}`)]);
    expect(problems.join()).not.toContain("CANARY");
  });

  it("refuses names that it does not know, and says which was meant", () => {
    const file = folder.write({
      prt: 1,
      somethingElse: 2,
      failpoint: "runtime.claimed",
      config: "x",
      data: "/x",
      __proto__: 1,
    });
    expect(folder.problems()).toEqual([
      `prt in ${file} is no setting; did you mean port?`,
      `somethingElse in ${file} is no setting`,
      `failpoint in ${file} is no setting`,
      `config in ${file} is no setting`,
      `data in ${file} cannot stand in a file of the data folder itself: use --data or BERTH_DATA`,
    ]);
  });

  it("may hold secrets only when nobody else can read it", () => {
    const file = folder.write({ openaiApiKey: "sk-file-key-0001" }, { mode: 0o644 });
    expect(folder.problems()).toEqual([
      `${file} holds secrets and other users may read it: chmod 600 ${file}`,
    ]);
    chmodSync(file, 0o600);
    expect(folder.load().config.openaiApiKey?.reveal()).toBe("sk-file-key-0001");
    folder.write({ providers: [{ name: "p", kind: "anthropic", apiKey: "k" }] }, { mode: 0o640 });
    expect(folder.problems()).toHaveLength(1);
    folder.write({ port: 1 }, { mode: 0o644 });
    expect(folder.load().config.port).toBe(1);
  });
});
