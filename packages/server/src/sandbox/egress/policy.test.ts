import { describe, expect, it } from "vitest";
import type { EgressRule } from "../sandbox.ts";
import { compilePolicy } from "./policy.ts";
import type { Target } from "./target.ts";

const secret = { placeholder: "placeholder-0123456789", value: "value" };
const judge = (allow: readonly EgressRule[], host: string, port: number, kind: Target["kind"] = "tunnel") =>
  compilePolicy({ allow }).judge({ kind, host, port, path: "/" });

describe("an egress policy", () => {
  it("denies everything when it names nothing, and ports that it does not name", () => {
    expect(judge([], "a.test", 443)).toBe("not_listed");
    expect(judge([{ host: "a.test" }], "a.test", 8_080)).toBe("port_not_listed");
    for (const port of [80, 443])
      expect(judge([{ host: "a.test" }], "a.test", port)).toEqual({ port, tls: false, secrets: [] });
  });

  it("knows hosts however the rule writes them", () => {
    const written = [
      ["A.Test.", "a.test"],
      ["bücher.test", "xn--bcher-kva.test"],
      ["*.bücher.test", "x.xn--bcher-kva.test"],
      ["2001:DB8:0::1", "2001:db8::1"],
      ["::ffff:1.2.3.4", "1.2.3.4"],
      ["1.2.3.4", "1.2.3.4"],
    ] as const;
    for (const [rule, host] of written)
      expect(judge([{ host: rule }], host, 443)).toMatchObject({ port: 443 });
  });

  it("sends plain requests with secrets over TLS, unless port 80 is named", () => {
    const rule = { host: "a.test", secrets: [secret] };
    const plain = (ports?: readonly number[], port = 80) =>
      judge([ports === undefined ? rule : { ...rule, ports }], "a.test", port, "plain");
    const secrets = [secret];
    expect(plain()).toEqual({ port: 443, tls: true, secrets });
    expect(plain([443])).toEqual({ port: 443, tls: true, secrets });
    expect(plain([8_443], 8_443)).toEqual({ port: 8_443, tls: true, secrets });
    expect(plain([8_443])).toBe("port_not_listed");
    expect(plain([80])).toEqual({ port: 80, tls: false, secrets });
    // Nothing can be replaced in a tunnel.
    expect(judge([rule], "a.test", 443)).toEqual({ port: 443, tls: false, secrets: [] });
  });

  it("gives a secret to the ports of its own rule alone", () => {
    const allow = [
      { host: "*.test", ports: [80, 81] },
      { host: "a.test", ports: [443], secrets: [secret] },
    ];
    expect(judge(allow, "a.test", 81, "plain")).toEqual({ port: 81, tls: false, secrets: [] });
    expect(judge(allow, "a.test", 80, "plain")).toEqual({ port: 443, tls: true, secrets: [secret] });
    expect(judge(allow, "b.test", 80, "plain")).toEqual({ port: 80, tls: false, secrets: [] });
  });

  it("refuses what is no host, no port and no header, and says no secret", () => {
    const bad: readonly EgressRule[] = [
      ...[
        "",
        "*",
        "*.",
        "a b",
        "http://a.test",
        "a.test:80",
        "a.test/x",
        "u@a.test",
        "*.1.2.3.4",
        "a.*.test",
      ].map((host) => ({ host })),
      { host: "a.test", ports: [] },
      { host: "a.test", ports: [0] },
      { host: "a.test", ports: [65_536] },
      { host: "a.test", secrets: [{ ...secret, placeholder: "short" }] },
      { host: "a.test", secrets: [{ ...secret, value: "hidden\r\nX: y" }] },
      { host: "a.test", secrets: [{ ...secret, value: "" }] },
    ];
    for (const rule of bad) {
      const attempt = () => compilePolicy({ allow: [rule] });
      expect(attempt).toThrow(expect.objectContaining({ code: "egress_rule_invalid" }));
      expect(attempt).not.toThrow("hidden");
    }
  });
});
