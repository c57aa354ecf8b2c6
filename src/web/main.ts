/**
 * The inspection page: teach good parts, inspect others, on this device's GPU
 * or, where it has none, on the server that the page came from.
 *
 * @module
 */
import type { BackboneFile, NamedImage } from "../core/mod.ts";
import { chosenBackbone, demoBackbone } from "./backbone.ts";
import { regionInWords } from "../core/images/region.ts";
import { cameraView } from "./camera.ts";
import { demoParts } from "./demo_parts.ts";
import { Device } from "./device.ts";
import {
  attempt,
  element,
  keepFocus,
  onPress,
  say,
  tellProblem,
} from "./elements.ts";
import { bytesOf, imageOf, onChosen, onDropped, saveAs } from "./files.ts";
import type { Inspector } from "./inspector.ts";
import { GoodParts } from "./good_parts.ts";
import { Results } from "./results.ts";
import { ServerInspector } from "./server.ts";
import { InspectorChoice } from "./inspector_choice.ts";

/** Stages of a fit in words. */
const STAGES = {
  features: "Looking at the good parts",
  coreset: "Choosing what to remember",
  threshold: "Setting the threshold",
  "bank rows": "Fetching what to remember",
  "map threshold": "Setting the maps' threshold",
  predict: "Inspecting",
} as const;

/** Wires the page up. */
async function start(): Promise<void> {
  const device = await openDevice();
  const results = new Results();
  const goodParts = new GoodParts("good-parts", () => update());
  let backbone: BackboneFile = await demoBackbone();
  let busy = false;
  const inspectorChoice = new InspectorChoice(() => update());

  const inspector = (): Inspector | undefined => {
    const choice = inspectorChoice.choice;
    if (choice === undefined) return undefined;
    return choice.kind === "server"
      ? new ServerInspector(choice.model, choice.token)
      : device?.model === undefined
      ? undefined
      : device;
  };

  const update = (): void => {
    const count = goodParts.images.length;
    const ready = inspector() !== undefined;
    fit.disabled = busy || device === undefined || count === 0;
    fit.textContent = count === 0 ? "Fit" : `Fit ${count} good parts`;
    forget.disabled = busy || count === 0;
    tryDemo.disabled = busy || device === undefined;
    save.disabled = busy || device?.model === undefined;
    saveThreshold.disabled = busy || device?.model?.threshold === undefined ||
      inspectorChoice.choice?.kind !== "device";
    openModel.disabled = busy || device === undefined;
    inspectFiles.disabled = !ready;
    inspectCamera.disabled = !ready;
    element("footer-server", HTMLElement).hidden = !inspectorChoice.hasServer;
    element("backbone-name", HTMLElement).textContent = backbone.name;
    element("backbone-demo", HTMLButtonElement).disabled =
      backbone.name === "demo";
    element("model-about", HTMLElement).textContent = modelInWords(
      inspectorChoice.choice?.kind === "server" ? inspector() : device,
    );
  };

  const working = async (act: () => Promise<void>): Promise<void> => {
    const focus = document.activeElement;
    busy = true;
    update();
    try {
      await act();
    } finally {
      busy = false;
      progressBar().hidden = true;
      update();
      keepFocus(focus);
    }
  };

  const inspect = async (images: readonly NamedImage[]): Promise<void> => {
    const by = inspector();
    if (by === undefined) {
      throw new Error("There is no model yet: teach good parts, or open one");
    }
    let done = 0;
    for await (const result of by.inspect(images, tellProblem)) {
      results.add(result);
      say(`Inspected ${++done} of ${images.length} on ${by.about}`);
    }
  };

  const fitNow = async (): Promise<void> => {
    const report = await device!.teach(
      backbone,
      goodParts.images,
      showProgress,
      (_, error) => tellProblem(error),
    );
    inspectorChoice.choose("device");
    results.clear();
    say(
      `Fitted ${report.images} good parts in ${
        report.seconds.total.toFixed(1)
      } s: ready to inspect`,
    );
  };

  const fit = onPress("fit", () => working(fitNow));
  const forget = onPress("forget", () => {
    goodParts.clear();
    keepFocus(element("teach-files", HTMLInputElement));
  });
  const tryDemo = onPress("try-demo", () =>
    working(async () => {
      goodParts.clear();
      const { good, others } = demoParts();
      await goodParts.add(good);
      await fitNow();
      await inspect(others);
      results.showWorst();
    }));
  const save = onPress(
    "save-model",
    () => saveAs("model.safetensors", device!.save()),
  );
  const saveThreshold = onPress(
    "save-threshold",
    () =>
      saveAs("model.safetensors", device!.saveWithThreshold(results.factor)),
  );
  const openModel = onChosen("open-model", ([file]) =>
    working(async () => {
      await device!.load(await bytesOf(file!), backbone);
      inspectorChoice.choose("device");
      results.clear();
      say(`Opened ${file!.name}`);
    }));
  const teach = (files: readonly File[]): Promise<void> =>
    goodParts.add(files.map(imageOf));
  onChosen("teach-files", teach);
  onDropped("teach-drop", teach);
  cameraView("teach-camera", "teach-view", {
    action: "Add picture",
    take: (picture) => goodParts.add([picture]),
  });
  onChosen("backbone-file", async ([file]) => {
    backbone = await chosenBackbone(file!);
    update();
  });
  onPress("backbone-demo", async () => {
    backbone = await demoBackbone();
    update();
  });
  const inspectChosen = (files: readonly File[]): Promise<void> =>
    inspect(files.map(imageOf));
  const inspectFiles = onChosen("inspect-files", inspectChosen);
  onDropped("inspect-drop", inspectChosen);
  const inspectCamera = cameraView("inspect-camera", "inspect-view", {
    action: "Inspect",
    take: (picture) => inspect([picture]),
    live: "one picture after the other",
  });
  await inspectorChoice.find(device?.about);
  update();
  document.documentElement.dataset["ready"] = "true";
}

/** This device's GPU; without one the page says what can be done. */
async function openDevice(): Promise<Device | undefined> {
  const place = element("device", HTMLElement);
  try {
    const device = await Device.open();
    place.textContent = `Runs on ${device.adapterName}, in this browser`;
    return device;
  } catch (error) {
    place.textContent = "This browser has no WebGPU";
    place.title = error instanceof Error ? error.message : String(error);
    return undefined;
  }
}

function modelInWords(inspector: Inspector | Device | undefined): string {
  if (inspector === undefined) {
    return "None. Teaching and model files need a browser with WebGPU: Chrome, Edge, Safari 26 or Firefox, up to date.";
  }
  if (!(inspector instanceof Device)) {
    return `Inspects with ${inspector.about}.`;
  }
  const { model } = inspector;
  if (model === undefined) {
    return "None yet. Teach it good parts, or open a model file.";
  }
  const { imageNames, rows, threshold, backbone, minArea } = model;
  return `${imageNames.length} good parts, ${rows} patches remembered, backbone ${backbone.name}, ${
    threshold === undefined
      ? "no threshold (it takes pictures of two parts that differ)"
      : `threshold ${threshold.value.toPrecision(4)}`
  }${
    inspector.region === undefined
      ? ""
      : `; inspects ${regionInWords(inspector.region)}`
  }${
    minArea === undefined ? "" : `; a region counts from ${minArea} pixels on`
  }.`;
}

function progressBar(): HTMLProgressElement {
  return element("progress", HTMLProgressElement);
}

function showProgress(
  stage: keyof typeof STAGES,
  done: number,
  total: number,
): void {
  const bar = progressBar();
  bar.hidden = false;
  bar.max = Math.max(1, total);
  bar.value = done;
  say(`${STAGES[stage]} …`);
}

await attempt(start);
