import { describe, expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { announcedChat } from "./announced-chat.ts";

const command = (url: string, flags: { data?: string } = {}) => {
  const loaded = loadConfig({ flags, env: {}, cwd: "/srv" });
  return announcedChat({ url, dataDir: loaded.config.data }, loaded);
};

describe("the command that a started server announces", () => {
  it("is short where nothing was set", () => expect(command("http://127.0.0.1:7420")).toBe("./berth chat"));
  it("names another port", () =>
    expect(command("http://127.0.0.1:9000")).toBe("./berth chat --url http://127.0.0.1:9000"));
  it("names another folder, as a shell reads it", () =>
    expect(command("http://127.0.0.1:7420", { data: "/tmp/it's here" })).toBe(
      String.raw`./berth chat --data '/tmp/it'\''s here'`,
    ));
});
