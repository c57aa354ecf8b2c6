import { bearerAuth, cors, type MiddlewareHandler } from "./hono.ts";
import { HttpProblem, shortened } from "./problem.ts";

/**
 * Asks for a bearer token, which is compared by its hash, so that the time it
 * takes says nothing.
 */
export function requireToken(token: string): MiddlewareHandler {
  const refuse = (message: string) => () =>
    new HttpProblem(401, message).response();
  return bearerAuth({
    token,
    noAuthenticationHeader: {
      message: refuse(
        'A token is needed: send the header "Authorization: Bearer TOKEN"',
      ),
    },
    invalidAuthenticationHeader: {
      message: refuse(
        'Cannot read the header "Authorization": expected "Bearer TOKEN"',
      ),
    },
    invalidToken: { message: refuse("The token is not the one expected") },
  });
}

/**
 * Lets pages of some origins read what the service answers (CORS).
 *
 * @param origins Origins such as `https://line.example`, or `*` for all.
 */
export function allowOrigins(origins: readonly string[]): MiddlewareHandler {
  return cors({
    origin: (origin) => isAllowed(origin, origins) ? origin : undefined,
    allowMethods: ["GET", "HEAD", "POST"],
    allowHeaders: ["authorization", "content-type"],
    exposeHeaders: [
      "retry-after",
      "x-pred-label",
      "x-pred-score",
      "x-threshold",
    ],
    maxAge: 600,
  });
}

/** Characters that a header field may have: some take long to understand. */
const MAX_FIELD = 8192;

/** Refuses header fields that are longer than anybody needs. */
export function refuseLongHeaders(): MiddlewareHandler {
  return async ({ req }, next) => {
    for (const [name, { length }] of req.raw.headers) {
      if (length <= MAX_FIELD) continue;
      throw new HttpProblem(
        431,
        `The header "${
          shortened(name)
        }" has ${length} characters, at most ${MAX_FIELD} are allowed`,
      );
    }
    await next();
  };
}

/**
 * Refuses requests for no host, and what a web page of somebody else sends
 * through a user's browser: requests from another origin, unless it is allowed,
 * and, where the service is for this machine only, those for another host name.
 */
export function refuseForeign(
  { localOnly, origins }: {
    readonly localOnly: boolean;
    readonly origins: readonly string[];
  },
): MiddlewareHandler {
  return async ({ req }, next) => {
    const named = req.header("host") ?? URL.parse(req.url)?.host ?? "";
    const host = /^[^\s/?#@\\]+$/.test(named)
      ? URL.parse(`http://${named}`)
      : null;
    if (host === null) {
      throw new HttpProblem(
        400,
        `Cannot read the header "Host": "${
          shortened(named)
        }" names no host, expected a name or an address, and a port`,
      );
    }
    const origin = req.header("origin");
    if (
      origin !== undefined && URL.parse(origin)?.host !== host.host &&
      !isAllowed(origin, origins)
    ) {
      throw new HttpProblem(
        403,
        `Requests from pages of "${
          shortened(origin)
        }" are not allowed: the page has to come from this service, or its origin be named with --allow-origin`,
      );
    }
    if (localOnly && !isLocal(host.hostname)) {
      throw new HttpProblem(
        403,
        `Requests for host "${
          shortened(host.host)
        }" are not allowed: use localhost, or start the service with a token`,
      );
    }
    await next();
  };
}

function isAllowed(origin: string, origins: readonly string[]): boolean {
  return origins.includes("*") || origins.includes(origin);
}

/** Whether a host name means this machine and nothing else. */
export function isLocal(hostname: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\]|::1)$/i.test(hostname);
}
