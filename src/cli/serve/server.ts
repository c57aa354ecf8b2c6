import type { ServiceHandler } from "./app.ts";

/** Where a server listens. */
export interface Address {
  /** Name or address of the interface. */
  readonly host: string;
  /** Port; 0 takes a free one. */
  readonly port: number;
}

/** A server that listens. */
interface Server {
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
export function listen(handler: ServiceHandler, address: Address): Server {
  const { host: hostname, port } = address;
  const abort = new AbortController();
  const options = {
    hostname,
    port,
    signal: abort.signal,
    onListen: () => {},
  };
  const server = opened(address, () =>
    Deno.serve(
      options,
      (request, { remoteAddr }) => handler(request, remoteAddr.hostname),
    ));
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
}

function opened<T>({ host, port }: Address, open: () => T): T {
  try {
    return open();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `Cannot listen on ${host}:${port}: ${reason}; choose another --port or --host`,
      { cause },
    );
  }
}
