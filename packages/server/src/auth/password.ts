import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { BerthError } from "../lib/errors.ts";
import type { Secret } from "../lib/secret.ts";

// Argon2id with the first parameters of OWASP's password storage cheat sheet: 19 MiB, 2 passes, 1 lane. 25 ms on a 2-core AMD EPYC.
const memoryKiB = 19_456;
const passes = 2;
const lanes = 1;
const tagBytes = 32;

/** Characters, after Unicode's compatibility normalization (NFKC), as people count them. Nothing is cut off. */
const shortest = 12;
const longest = 256;

const phc =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,88})\$([A-Za-z0-9+/]{22,88})$/;
const derive = promisify(argon2);

/** Hashes and checks passwords off the main thread, few at a time: each takes 19 MiB and one core. */
export interface Passwords {
  /** A PHC string. Rejects with `weak_password`, or `too_busy` when too many wait. */
  hash(password: Secret): Promise<string>;
  /**
   * Whether the password is the one. With null, for an account that is not known or has none, the same work is done and the answer
   * is no. Rejects with `too_busy`.
   */
  verify(password: Secret, stored: string | null): Promise<boolean>;
}

export interface PasswordOptions {
  /** Hashes under way at once; default 2. */
  readonly atOnce?: number;
  /** Hashes that may wait; default 64. */
  readonly waiting?: number;
}

export function createPasswords({ atOnce = 2, waiting = 64 }: PasswordOptions = {}): Passwords {
  const queue: (() => void)[] = [];
  let running = 0;
  const unknown = { salt: randomBytes(16), tag: randomBytes(tagBytes), memory: memoryKiB, passes, lanes };

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= atOnce) {
      if (queue.length >= waiting) throw tooBusy();
      await new Promise<void>((resolve) => queue.push(resolve));
    } else running += 1;
    try {
      return await work();
    } finally {
      // The place goes to the next one, or is free.
      const next = queue.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  return {
    async hash(password) {
      const text = password.reveal().normalize("NFKC");
      refuseWeak(text);
      const salt = randomBytes(16);
      const parameters = { salt, memory: memoryKiB, passes, lanes, tagLength: tagBytes };
      const tag = await inTurn(() => tagOf(text, parameters));
      return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${lanes}$${base64(salt)}$${base64(tag)}`;
    },
    async verify(password, stored) {
      const known = stored === null ? null : parse(stored);
      const { tag, ...parameters } = known ?? unknown;
      // Nobody has a longer password; its first characters are hashed only so that the answer takes as long.
      const text = password
        .reveal()
        .slice(0, 4 * longest)
        .normalize("NFKC");
      const actual = await inTurn(() => tagOf(text, { ...parameters, tagLength: tag.byteLength }));
      const same = timingSafeEqual(actual, tag);
      return known !== null && same && length(password.reveal().normalize("NFKC")) <= longest;
    },
  };
}

interface Parameters {
  readonly salt: Buffer;
  readonly memory: number;
  readonly passes: number;
  readonly lanes: number;
}

async function tagOf(text: string, parameters: Parameters & { readonly tagLength: number }): Promise<Buffer> {
  const { salt, memory, passes: turns, lanes: parallelism, tagLength } = parameters;
  return derive("argon2id", {
    message: text,
    nonce: salt,
    memory,
    passes: turns,
    parallelism,
    tagLength,
  });
}

/** Throws `internal`: what is stored was written by `hash`. */
function parse(stored: string): Parameters & { readonly tag: Buffer } {
  const [, memory, turns, parallelism, salt = "", tag = ""] = phc.exec(stored) ?? [];
  if (memory === undefined) throw new BerthError("internal", "a stored password hash cannot be read");
  return {
    memory: Number(memory),
    passes: Number(turns),
    lanes: Number(parallelism),
    salt: Buffer.from(salt, "base64"),
    tag: Buffer.from(tag, "base64"),
  };
}

function refuseWeak(text: string): void {
  const count = length(text);
  if (count < shortest) throw weak(`needs at least ${shortest} characters`);
  if (count > longest) throw weak(`may have at most ${longest} characters`);
  if (new Set(text).size < 5) throw weak("needs at least 5 different characters");
}

const length = (text: string) => Array.from(text).length;
const base64 = (bytes: Buffer) => bytes.toString("base64").replaceAll("=", "");

function weak(why: string): BerthError {
  return new BerthError("weak_password", `The password ${why}: choose another.`);
}

function tooBusy(): BerthError {
  return new BerthError("too_busy", "Too many passwords are being checked just now: try again in a moment.", {
    retryable: true,
  });
}
