import type { Rows, Target } from "../../../support/security/matrix-row.ts";

const inSession = ({ home }: Target) => ({ sessionId: home.things.sessionId });
const file = (target: Target) => ({ params: { ...inSession(target), path: target.home.things.path } });

/** A file that may be spoilt. */
const another = (target: Target) => ({ params: { ...inSession(target), path: "other.txt" } });

export const fileRows: Rows = {
  listFiles: { may: "viewer", ok: [200], link: true, given: (target) => ({ params: inSession(target) }) },
  downloadFile: { may: "viewer", ok: [200], link: true, given: file },
  uploadFile: {
    may: "member",
    ok: [200],
    given: (target) => ({ ...another(target), body: new Uint8Array([1]) }),
  },
  deleteFile: { may: "member", ok: [204, 404], given: another },
  moveFile: {
    may: "member",
    ok: [200, 404, 409],
    given: (target) => ({ params: inSession(target), body: { path: "other.txt", to: "third.txt" } }),
  },
  archiveFiles: { may: "viewer", ok: [200], link: true, given: (target) => ({ params: inSession(target) }) },
  extractArchive: {
    may: "member",
    ok: [200],
    // An archive that ends where it begins.
    given: (target) => ({ params: inSession(target), body: new Uint8Array(1_024) }),
  },
  globFiles: {
    may: "viewer",
    ok: [200],
    given: (target) => ({ params: inSession(target), query: "pattern=**" }),
  },
  grepFiles: {
    may: "viewer",
    ok: [200],
    given: (target) => ({ params: inSession(target), query: "pattern=MARK" }),
  },
};
