import { type Command, defineCommand } from "./command.ts";
import { EXIT } from "./exit.ts";
import { WATCH_OPTIONS, watchPlan } from "./watch/watch_options.ts";

/** `watch`: inspects what a camera writes. */
export const watch: Command = defineCommand({
  name: "watch",
  summary: "Inspect each image that comes into a folder, once",
  operands: {
    name: "DIR",
    help: "folder that images come into; folders below it count as well",
    min: 1,
    max: 1,
  },
  options: WATCH_OPTIONS,
  examples: [
    [
      "camera --model part.safetensors --out results",
      "An audit in results/audit.jsonl, images in results/ok, nok, uncertain and error",
    ],
    [
      "camera --model part.safetensors --out results --sort off --mqtt mqtt://line.example",
      "Verdicts for an MQTT broker, no images",
    ],
    [
      "camera --models /srv/models --out results --on-anomaly ./reject.sh",
      "A model for each sub-folder, a program for each image that is not normal",
    ],
    [
      "camera --model part.safetensors --out results --webhook https://line.example/verdicts --webhook-secret-env SECRET",
      "Signed requests with the verdicts",
    ],
  ],
  async run([folder = ""], values, context): Promise<number> {
    const plan = watchPlan(folder, values);
    // No other command waits for what this one needs.
    const { runWatch } = await import("./watch/run_watch.ts");
    await runWatch(plan, context);
    return EXIT.ok;
  },
});
