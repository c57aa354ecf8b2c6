import { UsageError } from "../exit.ts";
import type { AuditRecord } from "./audit_log.ts";
import { type Channel, RefusedError } from "./outbox.ts";

/** Milliseconds that an answer may take. */
const PATIENCE = 10_000;

/** Statuses of a client's mistake that pass: too slow, too early, too many. */
const PASSING = [408, 425, 429];

/** Where verdicts are sent. */
interface WebhookOptions {
  /** The address. */
  readonly url: URL;
  /** What requests are signed with; without it they are not. */
  readonly secret: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Sends every verdict as JSON in a POST request, signed as Standard Webhooks
 * says (https://www.standardwebhooks.com), so that receivers can use its
 * libraries. A status of 2xx is an acknowledgement.
 */
export class Webhook implements Channel {
  readonly name = "webhook";
  readonly #options: WebhookOptions;
  #key: Promise<CryptoKey> | undefined;

  /** Nothing is sent yet. */
  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  wants(): boolean {
    return true;
  }

  async deliver(record: AuditRecord, signal: AbortSignal): Promise<void> {
    const { url, secret } = this.#options;
    const body = JSON.stringify(record);
    // The same for every attempt, so that receivers know it again.
    const id = `${record.image_sha256?.slice(0, 16) ?? "unread"}-${record.n}`;
    const timestamp = String(Math.floor(Date.now() / 1000));
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        ...(secret && {
          "webhook-signature": await this.#sign(
            `${id}.${timestamp}.${body}`,
            secret,
          ),
        }),
      },
      body,
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
    });
    await response.body?.cancel();
    const { ok, status } = response;
    if (ok) return;
    const sentence = `it answered ${status}, expected 200 to 299`;
    throw status >= 400 && status < 500 && !PASSING.includes(status)
      ? new RefusedError(sentence)
      : new Error(sentence);
  }

  async #sign(text: string, secret: Uint8Array<ArrayBuffer>): Promise<string> {
    this.#key ??= crypto.subtle.importKey(
      "raw",
      secret,
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign"],
    );
    const bytes = new TextEncoder().encode(text);
    const signature = await crypto.subtle.sign("HMAC", await this.#key, bytes);
    return `v1,${new Uint8Array(signature).toBase64()}`;
  }
}

/**
 * An address that requests can be sent to.
 *
 * @throws {UsageError} If it is none.
 */
export function webhookUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) {
    if (url.username === "" && url.password === "") return url;
    throw new UsageError(
      "Cannot use a --webhook with a name and a password: others on this machine can see them; sign requests with --webhook-secret-env",
    );
  }
  throw new UsageError(
    `Cannot use --webhook "${text}": expected an address such as https://line.example/verdicts`,
  );
}

/**
 * The bytes of a secret: after `whsec_` they are base64, as Standard Webhooks
 * writes them; any other text is taken as it is.
 *
 * @throws {UsageError} If it is empty or no base64.
 */
export function secretBytes(
  text: string,
  variable: string,
): Uint8Array<ArrayBuffer> {
  const prefix = "whsec_";
  try {
    const bytes = text.startsWith(prefix)
      ? Uint8Array.fromBase64(text.slice(prefix.length))
      : new TextEncoder().encode(text);
    if (bytes.length > 0) return bytes;
  } catch {
    // It is told below.
  }
  throw new UsageError(
    `Cannot use the secret in ${variable}: expected text, or whsec_ and base64`,
  );
}
