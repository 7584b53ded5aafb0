import { describe, expect, it } from "vitest";
import { useBareBubblewrap } from "../../../../test/support/sandbox/use-bare-bubblewrap.ts";

const { sandbox, sh, others, follow } = useBareBubblewrap();

describe("terminals", () => {
  const pty = { columns: 77, rows: 21 };
  const type = (id: string, text: string) => sandbox().write(id, Buffer.from(text));

  it("have a size, a name and an exit code, and take any command", async () => {
    const { id } = await sandbox().spawn({
      command: `stty size; echo "$TERM" '$x' it\\'s; tty; exit 5`,
      pty,
    });
    const { text, end } = await follow(id);
    expect(text).toMatch(/^21 77\r\nxterm-256color \$x it's\r\n\/dev\/pts\/\d+\r\n$/);
    expect(end).toMatchObject({ code: 5, reason: "exit" });
  });

  it("tell a program that their size has changed", async () => {
    const { id } = await sandbox().spawn({
      command: `trap 'stty size' WINCH; echo up; while :; do sleep 0.02; done`,
      pty,
    });
    await follow(id, /up/);
    await sandbox().resize(id, { columns: 101, rows: 33 });
    await follow(id, /33 101/);
    await sandbox().kill(id);
  });

  it("take what is typed: an interrupt, a line, the end of input", async () => {
    const program = `process.on("SIGINT", () => console.log("caught"));
      process.stdin.on("data", (line) => console.log("got " + line)).on("end", () => console.log("over"));
      console.log("up")`;
    const { id } = await sandbox().spawn({ command: `/opt/berth/node -e '${program}'`, pty });
    await follow(id, /up/);
    await type(id, "\x03");
    await follow(id, /caught/);
    await type(id, "hello\r");
    await follow(id, /got hello/);
    await sandbox().write(id, null);
    const { text, end } = await follow(id);
    expect(text).toMatch(/over\r\n$/);
    expect(end).toMatchObject({ code: 0 });
    await expect(type(id, "x")).rejects.toMatchObject({ code: "process_not_found" });
  });

  it("are left with all that was started in them", async () => {
    const { id } = await sandbox().spawn({ command: "sleep 61 & setsid sleep 62 & echo up; wait", pty });
    await follow(id, /up/);
    expect(await sandbox().kill(id)).toBe(true);
    expect(await others()).toEqual([]);
  });
});

describe("input of a background process", () => {
  it("comes in order and ends; what it does not take waits, and more is refused meanwhile", async () => {
    const command = "until test -e read; do sleep 0.02; done; wc -c; exit 7";
    const { id } = await sandbox().spawn({ command, input: true });
    const first = sandbox().write(id, Buffer.alloc(900_000));
    await expect(sandbox().write(id, Buffer.alloc(5))).rejects.toMatchObject({
      code: "sandbox_busy",
      retryable: true,
    });
    await sh("touch read");
    await first;
    await Promise.all([sandbox().write(id, Buffer.alloc(5)), sandbox().write(id, null)]);
    const { text, end } = await follow(id);
    expect([text, end]).toMatchObject(["900005\n", { code: 7 }]);
  });

  it("does not wait for ever for one that has closed it or has ended", async () => {
    const closed = await sandbox().spawn({ command: "exec <&-; sleep 60", input: true });
    await sandbox().write(closed.id, Buffer.alloc(3_000_000));
    await sandbox().kill(closed.id);
    const deaf = await sandbox().spawn({ command: "sleep 60", input: true });
    const writing = sandbox()
      .write(deaf.id, Buffer.alloc(3_000_000))
      .catch((error: unknown) => error);
    await sandbox().kill(deaf.id);
    expect(await writing).toMatchObject({ code: "process_not_found" });
  });
});
