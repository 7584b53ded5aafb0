import { describe, expect, it } from "vitest";
import { addressGroup, createAddressSet, isLoopback, isNetwork, normalAddress } from "./addresses.ts";

describe("normalAddress", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["::FFFF:CB00:7107", "203.0.113.7"],
    ["0:0:0:0:0:ffff:203.0.113.7", "203.0.113.7"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["::1", "::1"],
  ])("gives %s one spelling", (written, normal) => {
    expect(normalAddress(written)).toBe(normal);
  });

  it.each([
    "",
    "unknown",
    "203.0.113.256",
    "010.0.0.1",
    "1.2.3",
    "::ffff:1.2.3.4.5",
    "[::1]",
    "1.2.3.4:80",
    "a:b",
  ])("takes %j for no address", (written) => {
    expect(normalAddress(written)).toBeNull();
  });
});

describe("addressGroup", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:db8::9", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["1:2:3::", "1:2:3:0::/64"],
    ["::4:5:6:7:8", "0:0:0:4::/64"],
  ])("counts %s as %s", (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });
});

describe("createAddressSet", () => {
  it("holds what its networks hold and nothing else", () => {
    const set = createAddressSet(["10.1.0.0/16", "2001:db8::/32", "192.0.2.9", "::ffff:198.51.100.0/120"]);
    const held = ["10.1.255.255", "2001:db8:ffff::1", "192.0.2.9", "198.51.100.200"];
    const other = ["10.2.0.0", "2001:db9::1", "192.0.2.10", "198.51.101.1", "::1"];
    expect(held.filter((address) => !set.has(address))).toEqual([]);
    expect(other.filter((address) => set.has(address))).toEqual([]);
  });

  it("takes IPv4 for IPv4 whatever IPv6 networks it holds", () => {
    const set = createAddressSet(["::/0"]);
    expect([set.has("1.2.3.4"), set.has("2001:db8::1")]).toEqual([false, true]);
    expect(createAddressSet(["0.0.0.0/0"]).has("2001:db8::1")).toBe(false);
  });

  it.each([
    "",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10.0.0.0/",
    "fe80::1%eth0",
    "::/129",
    "::ffff:0:0/95",
    "host",
  ])("refuses %j", (entry) => {
    expect(isNetwork(entry)).toBe(false);
    expect(() => createAddressSet([entry])).toThrow(JSON.stringify(entry));
  });
});

it("knows this machine's own addresses, and takes no name for one", () => {
  for (const own of ["127.0.0.1", "127.9.9.9", "::1"]) expect(isLoopback(own)).toBe(true);
  for (const other of ["127.0.0.1.example.com", "10.0.0.1", "localhost", "::2", ""])
    expect(isLoopback(other)).toBe(false);
});
