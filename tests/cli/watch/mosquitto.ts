/** Why tests with a broker do not run, if they do not. */
export const NO_MOSQUITTO: string | undefined = await isThere()
  ? undefined
  : "mosquitto is not there: apt-get install mosquitto";

async function isThere(): Promise<boolean> {
  try {
    await new Deno.Command("mosquitto", { args: ["-h"] }).output();
    return true;
  } catch {
    return false;
  }
}

/** A broker of Debian's on this machine. */
export interface Broker extends AsyncDisposable {
  /** Its address. */
  readonly url: string;
}

/** Starts a broker that knows one name, `line`, with the password `secret`. */
export async function startBroker(port: number): Promise<Broker> {
  const folder = await Deno.makeTempDir();
  await new Deno.Command("mosquitto_passwd", {
    args: ["-b", "-c", `${folder}/passwords`, "line", "secret"],
  }).output();
  await Deno.writeTextFile(
    `${folder}/mosquitto.conf`,
    [
      `listener ${port} 127.0.0.1`,
      "allow_anonymous true",
      `password_file ${folder}/passwords`,
      "persistence false",
      ...Deno.uid() === 0 ? ["user root"] : [],
      "",
    ].join("\n"),
  );
  const child = new Deno.Command("mosquitto", {
    args: ["-c", `${folder}/mosquitto.conf`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  for (let i = 0;; i++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      break;
    } catch (error) {
      if (i === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return {
    url: `mqtt://127.0.0.1:${port}`,
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill("SIGTERM");
      await child.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}
