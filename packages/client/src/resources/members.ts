import type {
  AcceptInvitationBody,
  AcceptInvitationReply,
  CreateInvitationBody,
  CreateInvitationReply,
  Invitation,
  Member,
  Page,
  PutRoleBody,
  Role,
  RoleList,
  UpdateMemberBody,
} from "@berth/contract";
import type { Http } from "../http.ts";
import { allPages, type CallOptions, type ChangeOptions, type PageQuery } from "../pages.ts";
import { callsOf } from "./calls.ts";

export interface MemberQuery extends PageQuery {
  readonly email?: string;
}

export interface InvitationQuery extends PageQuery {
  /** Only those that can be used. */
  readonly open?: boolean;
}

/** An organization's people, how they come in, and what they may do. */
export function createMembers(http: Http) {
  return { members: members(http), invitations: invitations(http), roles: roles(http) };
}

function members(http: Http) {
  const calls = callsOf(http);
  const path = (id: string) => `/members/${encodeURIComponent(id)}`;
  const list = (query: MemberQuery = {}): Promise<Page<Member>> => calls.list("/members", { ...query });

  return {
    list,
    all: (query: Omit<MemberQuery, "after"> = {}) =>
      allPages((after) => list({ ...query, ...(after && { after }) })),
    get: (id: string, options: CallOptions = {}): Promise<Member> => calls.get(path(id), options),
    /** Rejects with codes `last_owner`, `own_membership`, `unknown_role` or `forbidden`. */
    update: (id: string, body: UpdateMemberBody, options: ChangeOptions = {}): Promise<Member> =>
      calls.patch(path(id), body, options),
    remove: (id: string, options: ChangeOptions = {}): Promise<void> => calls.delete(path(id), options),
  };
}

function invitations(http: Http) {
  const calls = callsOf(http);
  const list = (query: InvitationQuery = {}): Promise<Page<Invitation>> =>
    calls.list("/invitations", { ...query });

  return {
    /** The token is shown this once. Rejects with codes `already_member`, `unknown_role` or `not_managed_here`. */
    create: (body: CreateInvitationBody, options: ChangeOptions = {}): Promise<CreateInvitationReply> =>
      calls.post("/invitations", body, options),
    list,
    all: (query: Omit<InvitationQuery, "after"> = {}) =>
      allPages((after) => list({ ...query, ...(after && { after }) })),
    revoke: (id: string, options: ChangeOptions = {}): Promise<void> =>
      calls.delete(`/invitations/${encodeURIComponent(id)}`, options),
    /** Needs no key. Rejects with codes `invitation_invalid`, `weak_password` or `wrong_password`. */
    accept: (body: AcceptInvitationBody, options: ChangeOptions = {}): Promise<AcceptInvitationReply> =>
      calls.post("/invitations/accept", body, options),
  };
}

function roles(http: Http) {
  const calls = callsOf(http);
  const path = (name: string) => `/roles/${encodeURIComponent(name)}`;

  return {
    list: (options: CallOptions = {}): Promise<RoleList> => calls.get("/roles", options),
    /** Makes a role, or changes it for all who have it. Rejects with codes `unknown_permission` or `forbidden`. */
    put: (name: string, body: PutRoleBody, options: ChangeOptions = {}): Promise<Role> =>
      calls.put(path(name), body, options),
    /** Rejects with code `role_in_use`. */
    delete: (name: string, options: ChangeOptions = {}): Promise<void> => calls.delete(path(name), options),
  };
}
