import { expect, it } from "vitest";
import { endEach } from "./end-each.ts";

it("ends what comes after a part that fails, tells each failure and rejects with the first", async () => {
  const ended: string[] = [];
  const told: unknown[] = [];
  const failing = (name: string) => () => {
    ended.push(name);
    throw new Error(name);
  };
  const parts = [
    () => void ended.push("a"),
    failing("b"),
    async () => failing("c")(),
    () => void ended.push("d"),
  ];
  await expect(endEach(parts, (error) => told.push(error))).rejects.toThrow("b");
  expect(ended).toEqual(["a", "b", "c", "d"]);
  expect(told).toMatchObject([{ message: "b" }, { message: "c" }]);
  await expect(endEach([() => void ended.push("e")], () => {})).resolves.toBeUndefined();
});
