import { describe, expect, it } from "vitest";
import { loginCookieOf, setCookie } from "./login-cookies.ts";
import { localPeer } from "./peer.ts";
import type { Presented } from "./presented.ts";

function presented(origin: string, cookie: string | null = null): Presented {
  return {
    header: (name) => (name === "cookie" ? cookie : null),
    peer: localPeer,
    method: "GET",
    target: "/",
    origin,
  };
}

describe("login cookies", () => {
  it("belong to one host and to TLS alone when there is TLS", () => {
    const over = presented("https://berth.example");
    expect(setCookie(over, { cookie: "login", value: "x", maxAgeMs: 90_000 })).toBe(
      "__Host-berth=x; Path=/; Max-Age=90; SameSite=Lax; HttpOnly; Secure",
    );
    expect(setCookie(over, { cookie: "csrf", value: "x", maxAgeMs: 90_000 })).toBe(
      "__Host-berth-csrf=x; Path=/; Max-Age=90; SameSite=Lax; Secure",
    );
  });

  it("are not taken under the name that anybody can set", () => {
    expect(loginCookieOf(presented("https://berth.example", "berth=planted"), "login")).toBeNull();
    expect(loginCookieOf(presented("https://berth.example", "a=b; __Host-berth=own"), "login")).toBe("own");
    expect(loginCookieOf(presented("http://127.0.0.1", "__Host-berth=x; berth=own"), "login")).toBe("own");
    expect(loginCookieOf(presented("http://127.0.0.1", "berth-csrf=x"), "login")).toBeNull();
  });

  it("are nobody's when they come twice", () => {
    expect(loginCookieOf(presented("http://127.0.0.1", "berth=a; berth=b"), "login")).toBe("");
  });
});
