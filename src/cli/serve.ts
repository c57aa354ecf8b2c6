import { type Command, defineCommand } from "./command.ts";
import { EXIT } from "./exit.ts";
import { SERVE_OPTIONS, serviceOptions } from "./serve/serve_options.ts";

/** `serve`: answers over HTTP. */
export const serve: Command = defineCommand({
  name: "serve",
  summary: "Score images that come over HTTP",
  options: SERVE_OPTIONS,
  examples: [
    ["--model part.safetensors", "One model, for this machine only"],
    [
      "--model bottle.safetensors --model cable.safetensors --port 9000",
      "Two models; clients name one with ?model=cable",
    ],
    [
      "--model part.safetensors --host 0.0.0.0 --token-file token.txt",
      "For other machines, which have to know the token",
    ],
    [
      "--models /srv/models --models-memory 6GiB",
      "Every product's model, loaded when it is asked for",
    ],
  ],
  async run(_operands, values, context): Promise<number> {
    // No other command waits for what a server needs.
    const { inspectionPage } = await import("./serve/inspection_page.ts");
    const { runService } = await import("./serve/service.ts");
    const options = await serviceOptions(values);
    const page = inspectionPage();
    await runService(options, context, async (path) => (await page)(path));
    return EXIT.ok;
  },
});
