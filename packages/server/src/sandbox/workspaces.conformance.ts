import { expect, it } from "vitest";
import { bytes, text } from "./sandbox-files.conformance.ts";
import { makeSandbox, makeWorkspace, policy, type SandboxHarness } from "./sandbox-harness.conformance.ts";

/** What every provider must do with files that outlive sandboxes. */
export function workspaceTests(harness: () => SandboxHarness): void {
  it("keeps files of a workspace whether a sandbox has it or not", async () => {
    const { provider, host } = harness();
    const workspaceId = await makeWorkspace(harness());
    const ref = { id: workspaceId, host };
    const files = await provider.workspaces.open(ref);
    await files?.write("a/b", bytes("before"));
    const { sandbox, ref: made, incarnation } = await makeSandbox(harness(), { workspaceId });
    const appended = await sandbox.exec({ command: "cat a/b; echo during >> a/b", timeoutMs: 10_000 });
    expect(appended).toMatchObject({ code: 0, output: "before" });
    expect(text((await files?.read("a/b")) ?? new Uint8Array())).toBe("beforeduring\n");
    await provider.destroy(made, { incarnation, reason: "test" });
    expect(text((await files?.read("a/b")) ?? new Uint8Array())).toBe("beforeduring\n");
    expect(await provider.workspaces.list(host)).toEqual([workspaceId]);
    expect(await provider.workspaces.usage(ref)).toMatchObject({ files: expect.toSatisfy((n) => n >= 2) });
    await provider.workspaces.create(ref, policy.limits);
    expect(await files?.stat("a/b")).not.toBeNull();
  });

  it("removes a workspace with everything, once", async () => {
    const { provider, host } = harness();
    const { ref, incarnation, sandbox, workspaceId } = await makeSandbox(harness());
    await sandbox.exec({ command: "mkdir -p a/b && touch a/b/c && chmod 000 a/b", timeoutMs: 10_000 });
    await provider.destroy(ref, { incarnation, reason: "test" });
    const workspace = { id: workspaceId, host };
    expect(await provider.workspaces.remove(workspace)).toBe(true);
    expect(await provider.workspaces.remove(workspace)).toBe(false);
    expect(await provider.workspaces.open(workspace)).toBeNull();
    expect(await provider.workspaces.usage(workspace)).toBeNull();
    expect(await provider.workspaces.list(host)).toEqual([]);
  });

  it("begins in a folder of the workspace, and shows nothing beside it to file operations", async () => {
    const { provider, host } = harness();
    const { ref, workspaceId } = await makeSandbox(harness());
    const workspace = { id: workspaceId, host };
    const one = await provider.workspaces.open(workspace, { folder: "one" });
    const two = await provider.workspaces.open(workspace, { folder: "two" });
    await one?.write("mine", bytes("1"));
    await two?.write("mine", bytes("2"));
    expect(text((await one?.read("mine")) ?? new Uint8Array())).toBe("1");
    await expect(one?.read("../two/mine")).rejects.toMatchObject({ code: "path_invalid" });
    expect((await one?.list(""))?.items.map(({ path }) => path)).toEqual(["mine"]);
    expect((await one?.glob("**"))?.items).toEqual(["mine"]);
    expect((await one?.grep("."))?.items).toEqual([{ path: "mine", line: 1, text: "1" }]);

    const inside = await provider.connect(ref, { folder: "one" });
    const { output } = await inside.exec({ command: "cat mine; echo new > made; ls ..", timeoutMs: 10_000 });
    expect(output).toBe("1one\ntwo\n");
    expect(text(await inside.files.read("made"))).toBe("new\n");
    const third = await provider.connect(ref, { folder: "three" });
    expect((await third.exec({ command: "echo 3 > mine", timeoutMs: 10_000 })).code).toBe(0);
    expect((await third.files.list("")).items).toMatchObject([{ path: "mine" }]);
    expect(await provider.workspaces.remove(workspace, { folder: "one" })).toBe(true);
    expect(await provider.workspaces.remove(workspace, { folder: "one" })).toBe(false);
    expect(text((await two?.read("mine")) ?? new Uint8Array())).toBe("2");
    for (const folder of ["..", "/etc", "a/../.."]) {
      await expect(provider.connect(ref, { folder })).rejects.toMatchObject({ code: "path_invalid" });
      await expect(provider.workspaces.open(workspace, { folder })).rejects.toMatchObject({
        code: "path_invalid",
      });
    }
  });

  it("SBX-04 does not begin in a folder that is a link", async () => {
    const { provider, host } = harness();
    const { ref, sandbox, workspaceId } = await makeSandbox(harness());
    await sandbox.exec({ command: "ln -s / way; mkdir real; ln -s real near", timeoutMs: 10_000 });
    for (const folder of ["way", "near"]) {
      const refused = { code: "path_invalid" };
      const open = async () => {
        const files = await provider.workspaces.open({ id: workspaceId, host }, { folder });
        await files?.list("");
      };
      const run = async () => {
        const inside = await provider.connect(ref, { folder });
        await inside.exec({ command: "true", timeoutMs: 10_000 });
      };
      await expect(open()).rejects.toMatchObject(refused);
      await expect(run()).rejects.toMatchObject(refused);
    }
  });
}
