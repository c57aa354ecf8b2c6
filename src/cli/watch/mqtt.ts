import type { MqttClient } from "./mqtt_client.d.ts";
import { UsageError } from "../exit.ts";
import type { AuditRecord } from "./audit_log.ts";
import type { Channel } from "./outbox.ts";

/** Milliseconds that a broker's answer may take. */
const PATIENCE = 10_000;

/** Where verdicts are published. */
interface MqttOptions {
  /** The broker: `mqtt:`, `mqtts:`, `ws:` or `wss:`. */
  readonly url: URL;
  /** The topic. */
  readonly topic: string;
  /** The password that goes with the name in the address. */
  readonly password: string | undefined;
}

/**
 * Publishes every verdict as JSON with quality of service 1: the broker
 * acknowledges each. What is not acknowledged in time is published again over a
 * new connection.
 */
export class MqttTopic implements Channel {
  readonly name = "mqtt";
  readonly #options: MqttOptions;
  #client: MqttClient | undefined;

  /** Nothing is opened yet. */
  constructor(options: MqttOptions) {
    this.#options = options;
  }

  wants(): boolean {
    return true;
  }

  async deliver(record: AuditRecord, signal: AbortSignal): Promise<void> {
    try {
      const client = this.#client ??= await this.#connect(signal);
      await within(
        client.publishAsync(this.#options.topic, JSON.stringify(record), {
          qos: 1,
        }),
        signal,
      );
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#client?.end(true);
    this.#client = undefined;
  }

  async #connect(signal: AbortSignal): Promise<MqttClient> {
    // No other command waits for what a broker needs.
    const { connect } = await import("./mqtt_client.ts");
    const { url: { href, username }, password } = this.#options;
    const address = new URL(href);
    address.username = "";
    const client = connect(address.href, {
      ...(username !== "" && { username: decodeURIComponent(username) }),
      ...(password !== undefined && { password }),
      reconnectPeriod: 0,
      connectTimeout: PATIENCE,
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    client.on("connect", () => resolve());
    client.on("error", reject);
    client.on("close", () => {
      reject(new Error(`the broker at ${address.host} closed the connection`));
      if (this.#client === client) this.close();
    });
    try {
      await within(promise, signal);
    } catch (error) {
      client.end(true);
      throw error;
    }
    return client;
  }
}

async function within<T>(
  work: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  work.catch(() => {});
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  const timer = setTimeout(
    () => reject(new Error("the broker has not answered for 10 s")),
    PATIENCE,
  );
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * The address of a broker.
 *
 * @throws {UsageError} If it is none, or has a password.
 */
export function brokerUrl(text: string): URL {
  const url = URL.parse(text);
  if (
    url === null || !/^(mqtts?|wss?):$/.test(url.protocol) || url.host === ""
  ) {
    throw new UsageError(
      `Cannot use --mqtt "${text}": expected a broker such as mqtt://line.example or mqtts://name@line.example:8883`,
    );
  }
  if (url.password === "") return url;
  throw new UsageError(
    "Cannot use an --mqtt with a password: others on this machine can see it; name a variable that holds it with --mqtt-password-env",
  );
}

/**
 * A topic to publish to.
 *
 * @throws {UsageError} If it is empty, too long, or has wildcards.
 */
export function publishedTopic(text: string): string {
  const { length } = new TextEncoder().encode(text);
  if (length > 0 && length < 65_536 && !/[+#\0]/.test(text)) return text;
  throw new UsageError(
    `Cannot use --mqtt-topic "${text}": expected a topic such as line/3/verdicts, without + and #`,
  );
}
