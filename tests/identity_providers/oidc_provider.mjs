// A certified OpenID provider (npm `oidc-provider`) for tests: everybody may sign in, by any name.
// The settings come as JSON in the first argument; it ends with its standard input.
import Provider from "oidc-provider";

const settings = JSON.parse(process.argv[2]);
const accounts = new Map(); // login name to claims, as a test has set them

const claimsOf = (login) => ({
  email: login,
  email_verified: true,
  name: login.split("@")[0],
  groups: [],
  ...accounts.get(login),
});

const provider = new Provider(settings.issuer, {
  clients: settings.clients,
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
  features: {
    devInteractions: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    userinfo: { enabled: true },
  },
  pkce: { required: () => true },
  findAccount: (_, login) => ({
    accountId: login,
    claims: () => ({ sub: `sub-${login}`, ...claimsOf(login) }),
  }),
  clientBasedCORS: () => false,
  cookies: { keys: ["only for tests"] },
});

// Tests have apps on any port.
provider.Client.prototype.redirectUriAllowed = () => true;
provider.Client.prototype.postLogoutRedirectUriAllowed = () => true;

// PUT /accounts/LOGIN with claims, by which a test says what is known of somebody.
provider.use(async (context, next) => {
  const found = /^\/accounts\/(.+)$/.exec(context.path);
  if (!found) return next();
  const parts = [];
  for await (const part of context.req) parts.push(part);
  accounts.set(decodeURIComponent(found[1]), JSON.parse(Buffer.concat(parts)));
  context.status = 204;
});

// Its pages ask a server elsewhere for a font, and this one for an icon; a test has neither.
provider.use(async (context, next) => {
  if (context.path === "/favicon.ico") return (context.status = 204);
  await next();
  if (typeof context.body === "string") {
    context.body = context.body.replace(/@import url\(https:[^)]*\);/, "");
  }
});

process.stdin.on("end", () => process.exit(0)).resume();
provider.listen(settings.port, "127.0.0.1", () => console.log("listening"));
