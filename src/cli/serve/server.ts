import type { ServiceHandler } from "./app.ts";

/** Where a server listens. */
export interface Address {
  /** Name or address of the interface. */
  readonly host: string;
  /** Port; 0 takes a free one. */
  readonly port: number;
}

/** A server that listens. */
export interface Server {
  /** Where clients reach it, without a final slash. */
  readonly url: string;
  /**
   * Accepts nothing more and waits for the answers of what was accepted.
   *
   * @param seconds After which connections are closed all the same.
   */
  stop(seconds: number): Promise<void>;
}

/**
 * Starts to listen.
 *
 * @throws {Error} If the address cannot be used.
 */
export function listen(
  handler: ServiceHandler,
  { host, port }: Address,
): Server {
  const abort = new AbortController();
  const server = start();
  const { addr } = server;
  const name = addr.hostname.includes(":")
    ? `[${addr.hostname}]`
    : addr.hostname;
  return {
    url: `http://${name}:${addr.port}`,
    async stop(seconds): Promise<void> {
      const timer = setTimeout(() => abort.abort(), seconds * 1000);
      await server.shutdown();
      clearTimeout(timer);
      await server.finished;
    },
  };

  function start(): Deno.HttpServer<Deno.NetAddr> {
    try {
      return Deno.serve(
        { hostname: host, port, signal: abort.signal, onListen: () => {} },
        (request, { remoteAddr }) => handler(request, remoteAddr.hostname),
      );
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(
        `Cannot listen on ${host}:${port}: ${reason}; choose another --port or --host`,
        { cause },
      );
    }
  }
}
