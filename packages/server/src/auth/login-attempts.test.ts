import { describe, expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { createInProcessCounter } from "../coordination/in-process/counter.ts";
import { createLoginAttempts } from "./login-attempts.ts";

function open() {
  const clock = createManualClock();
  const counter = createInProcessCounter({ clock });
  const attempts = createLoginAttempts({ counter, clock, attempts: 3 });
  const take = (email: string, address: string) =>
    attempts.take({ email, address }).then(
      () => "taken",
      (error: { code: string; details: { retryAfterMs: number } }) => error,
    );
  return { clock, take };
}

describe("AUT-07: createLoginAttempts", () => {
  it("AUT-07: refuses an address that tries one account too often, says for how long, and nobody else", async () => {
    const { clock, take } = open();
    for (let i = 0; i < 3; i += 1) expect(await take("a@x.example", "192.0.2.1")).toBe("taken");
    const refused = await take("a@x.example", "192.0.2.1");
    expect(refused).toMatchObject({ code: "too_many_attempts", details: { retryAfterMs: 200_000 } });
    expect(await take("b@x.example", "192.0.2.1")).toBe("taken");
    expect(await take("a@x.example", "192.0.2.2")).toBe("taken");
    await clock.advance(200_000);
    expect(await take("a@x.example", "192.0.2.1")).toBe("taken");
  });

  it("AUT-07: counts the addresses of one IPv6 network together", async () => {
    const { take } = open();
    for (let i = 1; i <= 3; i += 1) expect(await take("a@x.example", `2001:db8::${i}`)).toBe("taken");
    expect(await take("a@x.example", "2001:db8::ffff")).toMatchObject({ code: "too_many_attempts" });
    expect(await take("a@x.example", "2001:db8:0:1::1")).toBe("taken");
  });

  it("AUT-07: only slows an account down that many addresses are trying", async () => {
    const { clock, take } = open();
    for (let i = 0; i < 15; i += 1) expect(await take("a@x.example", `192.0.2.${i}`)).toBe("taken");
    let done = false;
    const slow = take("a@x.example", "198.51.100.1").then((outcome) => {
      done = true;
      return outcome;
    });
    await clock.advance(1_999);
    expect(done).toBe(false);
    await clock.advance(1);
    expect(await slow).toBe("taken");
  });
});
