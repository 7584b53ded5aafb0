import { z } from "zod";

/** `true` or `false`. */
export const flag = z.enum(["true", "false"]).transform((text) => text === "true");

const text = z.string().max(4_000);

/** Values joined by commas, or the name several times. */
export function listOf<T extends z.ZodType<unknown, string>>(item: T) {
  return z
    .union([text, z.array(text).max(100)])
    .transform((given) => [given].flat().flatMap((words) => words.split(",")))
    .pipe(z.array(item).max(100));
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** The same object without members that are undefined. */
export function defined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}
