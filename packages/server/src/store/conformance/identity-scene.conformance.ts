import { newId } from "../../lib/id.ts";
import type { AuditDraft } from "../audit.ts";
import type { AccountRecord, ApiKeyRecord, NewInvitation, OrgRecord } from "../identity.ts";
import type { Scene } from "./scene.conformance.ts";

export const hourMs = 3_600_000;

/** An entry of its own for a change. */
export function entry(action = "test.changed"): AuditDraft {
  return {
    id: newId("audit"),
    actor: { type: "user", id: "usr_actor", name: "Actor" },
    credential: "api_key:key_actor",
    action,
    target: null,
    outcome: "done",
    requestId: null,
    address: null,
    details: {},
  };
}

/** An organization that exists, and short ways to furnish it. */
export class Tenant {
  readonly scene: Scene;
  readonly orgId: string;

  private constructor(scene: Scene) {
    this.scene = scene;
    this.orgId = scene.orgId;
  }

  static async of(scene: Scene): Promise<Tenant> {
    const tenant = new Tenant(scene);
    await tenant.create();
    return tenant;
  }

  get identity() {
    return this.scene.org.identity;
  }

  get system() {
    return this.scene.store.system.identity;
  }

  async create(change: { slug?: string; owner?: NewInvitation } = {}): Promise<OrgRecord> {
    const slug = change.slug ?? this.orgId.replace("_", "-");
    const { result } = await this.system.createOrg({
      orgId: this.orgId,
      caller: "org_home",
      slug,
      name: "Acme",
      audit: entry("org.created"),
      ...(change.owner && { owner: change.owner }),
    });
    return result;
  }

  /** How often each action was written to this organization's audit log. */
  async audited(action: string): Promise<number> {
    const { items } = await this.scene.org.audit.list({ limit: 200, action });
    return items.length;
  }

  /** A person of this organization, known by an identity of its own. */
  person(
    change: { role?: string; email?: string; subject?: string; userId?: string } = {},
  ): Promise<AccountRecord> {
    return this.system.provision({
      orgId: this.orgId,
      userId: change.userId ?? newId("user"),
      name: "Ada",
      email: change.email ?? null,
      emailVerified: change.email !== undefined,
      identity: { source: "jwt", issuer: "https://idp.example", subject: change.subject ?? newId("user") },
      role: change.role ?? "member",
      updateRole: false,
      audit: entry("member.provisioned"),
    });
  }

  async service(name = "robot", certificates: { kind: "fingerprint" | "name"; value: string }[] = []) {
    const { result } = await this.identity.createServiceAccount({
      id: newId("serviceAccount"),
      name,
      role: "member",
      createdBy: "usr_actor",
      certificates,
      audit: entry("service_account.created"),
    });
    return result;
  }

  async key(
    principal: { type: "user" | "service"; id: string },
    change: { prefix?: string; scopes?: readonly string[]; expiresAt?: number } = {},
  ): Promise<ApiKeyRecord> {
    const { result } = await this.identity.createApiKey({
      id: newId("apiKey"),
      prefix: change.prefix ?? newPrefix(),
      hash: "hash",
      name: "laptop",
      principalType: principal.type,
      principalId: principal.id,
      scopes: change.scopes ?? null,
      createdBy: "usr_actor",
      expiresAt: change.expiresAt ?? null,
      audit: entry("api_key.created"),
    });
    return result;
  }

  invitation(change: Partial<NewInvitation> = {}): NewInvitation {
    return {
      id: newId("invitation"),
      kind: "join",
      email: `${newId("user")}@example.org`,
      name: null,
      role: "member",
      invitedBy: "usr_actor",
      expiresAt: this.scene.clock.now() + hourMs,
      tokenHash: newId("request"),
      ...change,
    };
  }

  async invite(change: Partial<NewInvitation> = {}): Promise<NewInvitation> {
    const invitation = this.invitation(change);
    await this.identity.createInvitation({ ...invitation, audit: entry("member.invited") });
    return invitation;
  }

  accept(invitation: NewInvitation, as: Parameters<typeof this.system.acceptInvitation>[0]["as"]) {
    return this.system.acceptInvitation({
      orgId: this.orgId,
      tokenHash: invitation.tokenHash,
      as,
      audit: entry("invitation.accepted"),
    });
  }

  /** A person that came by invitation, with the password hash `first`. */
  async invited(email = `${newId("user")}@example.org`, role = "member"): Promise<AccountRecord> {
    const invitation = await this.invite({ email, role });
    const as = { kind: "new", userId: newId("user"), name: "Grace", passwordHash: "first" } as const;
    return this.accept(invitation, as);
  }

  async login(userId: string, change: { orgId?: string } = {}): Promise<{ id: string; tokenHash: string }> {
    const login = { id: newId("request"), tokenHash: newId("request") };
    const now = this.scene.clock.now();
    await this.system.createLogin({
      ...login,
      userId,
      orgId: change.orgId ?? this.orgId,
      csrfHash: "csrf",
      method: "password",
      address: "192.0.2.1",
      agent: null,
      createdAt: now,
      lastSeenAt: now,
      expiresAt: now + hourMs,
    });
    return login;
  }
}

export function newPrefix(): string {
  return `brt_${newId("apiKey").slice(-12)}`;
}
