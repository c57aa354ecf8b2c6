import { PatchCore, type Prediction } from "../core/mod.ts";
import { join } from "../core/datasets/files.ts";
import {
  DEMO_PRODUCTS,
  type DemoImage,
  demoSet,
} from "../core/demo/demo_set.ts";
import { encodePng } from "../core/images/png.ts";
import { auroc } from "../core/metrics/roc.ts";
import { tellCpuAdapter } from "./adapter_line.ts";
import { type Command, type Context, defineCommand } from "./command.ts";
import { demoBackbone } from "./load_backbone.ts";
import { DemoReport } from "./demo_report.ts";
import { EXIT } from "./exit.ts";
import { noteReplaced, OutputFolder } from "./output.ts";
import { PredictionFiles } from "./prediction_files.ts";
import { stageProgress } from "./stage_progress.ts";

/** `demo`: the whole way on pictures made on the spot. */
export const demo: Command = defineCommand({
  name: "demo",
  summary: "Fit and inspect a small set of parts made on the spot",
  options: {
    out: {
      kind: "text",
      value: "DIR",
      default: "demo-out",
      help: "folder for the report, pictures, models and overlays",
    },
    seed: {
      kind: "integer",
      min: 0,
      max: 2 ** 32 - 1,
      default: 0,
      help: "another seed draws other pictures of the same parts",
    },
    overwrite: { kind: "flag", help: "write into a folder with other files" },
  },
  examples: [
    ["", "Everything, into demo-out"],
    ["--out /tmp/demo --seed 7", "Other pictures, elsewhere"],
    ["--json", "The figures for scripts"],
  ],
  async run(_operands, { out, seed, overwrite }, context): Promise<number> {
    const { terminal } = context;
    using folder = await OutputFolder.open(out, { overwrite });
    noteReplaced(folder, terminal);
    const backbone = await demoBackbone();
    using detector = await PatchCore.create({
      backbone,
      square: true,
      crop: null,
      coreset: 0.1,
    });
    terminal.message(
      `Backbone "demo" on ${detector.adapterName}: fixed filters for this demo only; accuracy on real parts needs ImageNet weights ("weights pull wide_resnet50_2")`,
    );
    tellCpuAdapter(detector.gpu, terminal);
    const products = [];
    const page = new DemoReport();
    for (const product of DEMO_PRODUCTS) {
      const images = [...demoSet(product, { seed })];
      const result = await inspect(detector, images, { folder, page }, context);
      products.push({ product: product.name, ...result });
      terminal.record({ product: product.name, ...result });
      terminal.result(
        `${product.name.padEnd(8)} image AUROC ${
          result.image_auroc.toFixed(3)
        }   ${result.normal} good, ${result.anomalous} with defects, fitted from ${result.train}; called anomalous: ${result.caught} of the defects, ${result.false_alarms} of the good`,
      );
    }
    await folder.write("report.html", await page.render(detector));
    await folder.record({ finished: true, command: "demo", seed, products });
    terminal.result(
      `Look at "${
        join(out, "report.html")
      }"; pictures, models and overlays are in "${out}"`,
    );
    return EXIT.ok;
  },
});

/** Fits a product's good pictures and scores the others. */
async function inspect(
  detector: PatchCore,
  images: readonly DemoImage[],
  { folder, page }: { folder: OutputFolder; page: DemoReport },
  { terminal, signal }: Context,
): Promise<
  Record<
    | "train"
    | "normal"
    | "anomalous"
    | "image_auroc"
    | "threshold"
    | "caught"
    | "false_alarms",
    number
  >
> {
  for (const { path, pixels, defect } of images) {
    await folder.write(path, await encodePng(pixels));
    if (defect !== undefined) {
      await folder.write(defect.maskPath, await encodePng(defect.mask));
    }
  }
  const sources = images.map(({ path, pixels, split, defect }) => ({
    name: join(folder.path, path),
    content: pixels,
    split,
    anomalous: defect !== undefined,
    mask: defect?.mask,
  }));
  using progress = stageProgress(terminal);
  const train = sources.filter(({ split }) => split === "train");
  const report = await detector.fit(train, { onProgress: progress, signal });
  const [category = "model"] = images[0].path.split("/");
  await folder.write(`${category}/model.safetensors`, detector.save());
  const test = sources.filter(({ split }) => split === "test");
  const files = new PredictionFiles(folder, test.map(({ name }) => name), {
    maps: undefined,
    overlay: true,
    mask: false,
  }, category);
  const predictions: Prediction[] = [];
  const shown = page.category(category);
  for await (const prediction of detector.predict(test, { signal })) {
    await files.write(prediction);
    shown.add(prediction, test[predictions.length]!.mask);
    predictions.push(prediction);
    progress("predict", predictions.length, test.length);
  }
  shown.finish();
  const called = (anomalous: boolean): number =>
    predictions.filter(({ label }, i) =>
      label === "anomalous" && test[i].anomalous === anomalous
    ).length;
  const anomalous = test.filter((image) => image.anomalous).length;
  return {
    train: report.images,
    normal: test.length - anomalous,
    anomalous,
    image_auroc: auroc(
      predictions.map(({ score }) => score),
      test.map((image) => image.anomalous ? 1 : 0),
    ),
    threshold: report.threshold,
    caught: called(true),
    false_alarms: called(false),
  };
}
