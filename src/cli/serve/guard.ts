import { bearerAuth } from "hono/bearer-auth";
import type { MiddlewareHandler } from "hono";
import { HttpProblem } from "./problem.ts";

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
 * Refuses what a web page of somebody else sends through a user's browser:
 * requests from another origin, and, where the service is for this machine
 * only, those for another host name.
 *
 * @param localOnly Whether only names of this machine are allowed.
 */
export function refuseForeign(localOnly: boolean): MiddlewareHandler {
  return async ({ req }, next) => {
    const url = new URL(req.url);
    const host = req.header("host") ?? url.host;
    const origin = req.header("origin");
    if (origin !== undefined && hostOf(origin) !== host) {
      throw new HttpProblem(
        403,
        `Requests from pages of "${origin}" are not allowed: the page has to come from this service`,
      );
    }
    if (localOnly && !isLocal(hostOf(`http://${host}`, "hostname"))) {
      throw new HttpProblem(
        403,
        `Requests for host "${host}" are not allowed: use localhost, or start the service with a token`,
      );
    }
    await next();
  };
}

function hostOf(url: string, part: "host" | "hostname" = "host"): string {
  return URL.parse(url)?.[part] ?? "";
}

/** Whether a host name means this machine and nothing else. */
export function isLocal(hostname: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\]|::1)$/i.test(hostname);
}
