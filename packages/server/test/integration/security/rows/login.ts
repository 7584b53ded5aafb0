import type { Rows } from "../../../support/security/matrix-row.ts";

export const loginRows: Rows = {
  logIn: {
    may: "open",
    ok: [401, 429],
    given: () => ({ body: { email: "nobody@people.example", password: "not the password" } }),
  },
  logOut: { may: "anyone", ok: [204], abroad: true, given: () => ({ body: {} }) },
  getLogin: { may: "anyone", ok: [404, 409], abroad: true },
  moveLogin: { may: "anyone", ok: [404, 409], abroad: true, given: () => ({ body: { org: "alpha" } }) },
  setUpOwner: {
    may: "operator",
    ok: [201, 409],
    abroad: true,
    given: () => ({
      body: { email: "first@people.example", name: "First", password: "a long enough password" },
    }),
  },
  listLoginMethods: { may: "open", ok: [200] },
  beginOidcLogin: { may: "open", ok: [404], given: () => ({ params: { provider: "none" } }) },
  finishOidcLogin: { may: "open", ok: [404], given: () => ({ params: { provider: "none" } }) },
};
