/**
 * What is used of the library mqtt: its own types would bring those of Node.js for
 * globals that the program shares with browsers.
 *
 * @module
 */

/** A connection to a broker. */
export interface MqttClient {
  /** Calls `listener` when something happens. */
  on(event: "connect" | "close", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  on(
    event: "message",
    listener: (topic: string, payload: Uint8Array) => void,
  ): void;
  /** Publishes, and returns once the broker has acknowledged it. */
  publishAsync(
    topic: string,
    message: string,
    options: { readonly qos: 0 | 1 | 2 },
  ): Promise<unknown>;
  /** Asks for what is published under a topic. */
  subscribeAsync(
    topic: string,
    options: { readonly qos: 0 | 1 | 2 },
  ): Promise<unknown>;
  /** Ends the connection; at once where `force` is true. */
  end(force?: boolean): void;
  /** The same, and returns when it has ended. */
  endAsync(force?: boolean): Promise<void>;
}

/** How a connection is opened. */
export interface ConnectOptions {
  /** Name that the broker asks for. */
  readonly username?: string;
  /** Password that goes with it. */
  readonly password?: string;
  /** Milliseconds before a lost connection is opened again; 0 for never. */
  readonly reconnectPeriod?: number;
  /** Milliseconds that a broker's answer may take. */
  readonly connectTimeout?: number;
}

/** Begins to open a connection. */
export function connect(url: string, options?: ConnectOptions): MqttClient;

/** Opens a connection. */
export function connectAsync(
  url: string,
  options?: ConnectOptions,
): Promise<MqttClient>;
