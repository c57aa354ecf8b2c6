import {
  colorMap,
  drawBoxes,
  drawOverlay,
  mapScale,
} from "../core/images/overlay.ts";
import { judge, judgeWithMap } from "../core/score/verdict.ts";
import { defectRegions, type Label, type Pixels } from "../core/mod.ts";
import { scaledBox } from "../core/report/small_copy.ts";
import { thumbnail } from "../core/report/thumbnail.ts";
import { element, keepFocus, make, onPress } from "./elements.ts";
import type { Inspection, ShownRegion } from "./inspector.ts";
import { canvasOf, closeUpCanvas, paint } from "./pictures.ts";

/** Results that are kept; of more, the first ones go. */
const MOST_RESULTS = 200;
const THUMB_SIDE = 128;

/** Verdicts in a word, as there is room on a thumbnail. */
const BADGES = {
  normal: "ok",
  uncertain: "unsure",
  anomalous: "anomaly",
  unknown: "score",
} as const satisfies Record<Label | "unknown", string>;

interface Entry {
  readonly inspection: Inspection;
  readonly item: HTMLLIElement;
  readonly button: HTMLButtonElement;
  readonly badge: HTMLElement;
}

/** What was inspected: a list, the worst first, and one of it large. */
export class Results {
  readonly #place = element("results", HTMLElement);
  readonly #list = element("list", HTMLElement);
  readonly #detail = element("detail", HTMLElement);
  readonly #factor = element("factor", HTMLInputElement);
  readonly #opacity = element("opacity", HTMLInputElement);
  readonly #entries = new Map<string, Entry>();
  #shown: Entry | undefined;
  #redraw: (() => void) | undefined;

  /** Takes the page's sliders and lists over. */
  constructor() {
    this.#factor.addEventListener("input", () => this.#judgeAll());
    this.#opacity.addEventListener("input", () => this.#judgeAll());
    this.#list.addEventListener("keydown", (event) => this.#onKey(event));
    onPress("clear", () => {
      this.clear();
      keepFocus(element("inspect", HTMLElement));
    });
  }

  /** Adds a result, or replaces the one of the same name. */
  add(inspection: Inspection): void {
    const { name, image } = inspection;
    const before = this.#entries.get(name);
    before?.item.remove();
    const badge = make("span", { className: "badge" });
    const picture = canvasOf(thumbnail(image, THUMB_SIDE), name);
    const button = make("button", { type: "button", title: name });
    button.dataset["score"] = String(inspection.score);
    button.append(picture, badge);
    const item = make("li", {}, button);
    const entry = { inspection, item, button, badge };
    button.addEventListener("click", () => this.#show(entry));
    this.#entries.set(name, entry);
    this.#judge(entry);
    this.#list.insertBefore(item, this.#following(entry)?.item ?? null);
    this.#place.hidden = false;
    if (this.#entries.size > MOST_RESULTS) this.#dropFirst();
    if (this.#shown === undefined || this.#shown === before) this.#show(entry);
    this.#count();
  }

  /** Removes all. */
  clear(): void {
    this.#entries.clear();
    this.#list.replaceChildren();
    this.#detail.replaceChildren();
    this.#shown = undefined;
    this.#redraw = undefined;
    this.#place.hidden = true;
  }

  /** What the slider multiplies the model's thresholds with. */
  get factor(): number {
    return this.#factor.valueAsNumber;
  }

  /** Shows the worst one. */
  showWorst(): void {
    const [worst] = this.#ordered();
    if (worst !== undefined) this.#show(worst);
  }

  #ordered(): Entry[] {
    return [...this.#entries.values()].sort((a, b) =>
      b.inspection.score - a.inspection.score
    );
  }

  #following({ inspection }: Entry): Entry | undefined {
    return this.#ordered().find((other) =>
      other.inspection.score < inspection.score
    );
  }

  #dropFirst(): void {
    const [[name, entry]] = this.#entries;
    entry.item.remove();
    this.#entries.delete(name);
    if (entry === this.#shown) this.showWorst();
  }

  #count(): void {
    const entries = [...this.#entries.values()];
    const called = (label: Label | null): number =>
      entries.filter(({ inspection }) => this.#label(inspection) === label)
        .length;
    const [uncertain, unjudged] = [called("uncertain"), called(null)];
    element("count", HTMLElement).textContent = `${
      called("anomalous")
    } of ${entries.length} anomalous${
      uncertain > 0 ? `, ${uncertain} uncertain` : ""
    }${unjudged > 0 ? `, ${unjudged} without a verdict` : ""}`;
  }

  #label(inspection: Inspection): Label | null {
    const { score, threshold, uncertainFrom, minArea } = inspection;
    const factor = this.#factor.valueAsNumber;
    const scaled = (value: number | null): number | null =>
      value === null ? null : value * factor;
    if (factor === 1) return inspection.label;
    const { label } = judge(score, {
      score: scaled(threshold),
      uncertainFrom: scaled(uncertainFrom),
      map: null,
    });
    if (minArea === null) return label;
    const area = Math.max(
      0,
      ...regionsAt(inspection, factor).map((region) => region.area),
    );
    return judgeWithMap(label, area >= minArea);
  }

  #judgeAll(): void {
    const factor = this.#factor.valueAsNumber.toFixed(2);
    element("factor-value", HTMLElement).textContent = factor;
    element("opacity-value", HTMLElement).textContent = this.#opacity.value;
    for (const entry of this.#entries.values()) this.#judge(entry);
    this.#count();
    this.#redraw?.();
  }

  #judge({ inspection, badge }: Entry): void {
    const label = this.#label(inspection);
    badge.className = `badge ${label ?? "unknown"}`;
    badge.textContent = `${BADGES[label ?? "unknown"]} ${ratioOf(inspection)}`;
  }

  #show(entry: Entry): void {
    for (const { button } of this.#entries.values()) {
      button.removeAttribute("aria-current");
    }
    entry.button.setAttribute("aria-current", "true");
    this.#shown = entry;
    const { inspection } = entry;
    const { name, image, map, mapThreshold, patch, nearest } = inspection;
    const scale = mapScale(mapThreshold, highestOf(map));
    const overlay = canvasOf(image, `${name} with its anomaly map`);
    const verdict = make("span");
    const numbers = make("span", { className: "quiet" });
    const regions = make("details", { id: "regions" });
    this.#redraw = () => {
      const factor = this.#factor.valueAsNumber;
      const label = this.#label(inspection);
      verdict.className = `badge ${label ?? "unknown"}`;
      verdict.textContent = label ?? "no verdict";
      numbers.textContent = describe(inspection);
      const found = regionsAt(inspection, factor);
      const drawn = this.#overlay(inspection, factor, scale);
      const boxes = found.map((box) =>
        scaledBox(box, inspection.size, inspection.image)
      );
      paint(overlay, drawBoxes(drawn, boxes));
      listRegions(regions, found);
    };
    this.#redraw();
    this.#detail.replaceChildren(
      make(
        "header",
        {},
        make("h3", { id: "detail-name", textContent: name }),
        verdict,
        numbers,
      ),
      make(
        "div",
        { className: "pictures" },
        figure(
          overlay,
          mapThreshold === null
            ? "Overlay: the model has no threshold, colours go up to this picture's own highest value"
            : "Overlay: a line and a frame around what is above the threshold, dark where nothing is looked at",
        ),
        make(
          "div",
          { className: "more" },
          figure(
            canvasOf(colorMap(map, scale), `Anomaly map of ${name}`),
            "Anomaly map",
          ),
          figure(closeUpCanvas(patch, "Worst patch"), "Worst patch"),
          nearestFigure(nearest),
        ),
      ),
      regions,
    );
  }

  #overlay(
    { image, map, mapThreshold }: Inspection,
    factor: number,
    scale: { min: number; max: number },
  ): Pixels {
    const opacity = this.#opacity.valueAsNumber / 100;
    const threshold = mapThreshold === null ? null : mapThreshold * factor;
    return drawOverlay(image, map, { ...scale, threshold, opacity });
  }

  #onKey(event: KeyboardEvent): void {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    const step = steps[event.key as keyof typeof steps];
    const item = (event.target as HTMLElement).closest("li");
    if (step === undefined || item === null) return;
    event.preventDefault();
    const next = step > 0
      ? item.nextElementSibling
      : item.previousElementSibling;
    const button = next?.querySelector("button");
    button?.focus();
    button?.click();
  }
}

/** The largest pixel of a map, which is NaN outside the crop. */
function highestOf({ data }: Inspection["map"]): number {
  return data.reduce((most, value) => value > most ? value : most, 0);
}

/** Regions of an image when the maps' threshold is moved. */
function regionsAt(
  { regions, map, mapThreshold, size }: Inspection,
  factor: number,
): readonly ShownRegion[] {
  if (factor === 1 || mapThreshold === null) return regions;
  const { width, height } = map;
  const found = defectRegions({
    ...map,
    threshold: mapThreshold * factor,
    geometry: { width, height, left: 0, top: 0, right: width, bottom: height },
  });
  const pixels = size.width * size.height / (width * height);
  return found.map((region) => {
    const box = scaledBox(region, map, size);
    return {
      x: Math.round(box.x),
      y: Math.round(box.y),
      width: Math.max(1, Math.round(box.width)),
      height: Math.max(1, Math.round(box.height)),
      area: Math.max(1, Math.round(region.area * pixels)),
      peak: region.peak,
    };
  });
}

/** Regions that are listed. */
const LISTED_REGIONS = 20;

/** Regions in words, in a fold-out list; nothing where there are none. */
function listRegions(
  place: HTMLDetailsElement,
  regions: readonly ShownRegion[],
): void {
  place.hidden = regions.length === 0;
  const summary = make("summary", {
    textContent: `${regions.length} region${
      regions.length === 1 ? "" : "s"
    } above the maps' threshold`,
  });
  const items = regions.slice(0, LISTED_REGIONS).map((region) => {
    const { x, y, width, height, area, peak } = region;
    return make("li", {
      textContent:
        `${width} × ${height} pixels from x ${x}, y ${y}: area ${area}, peak ${
          peak.toPrecision(4)
        }`,
    });
  });
  place.replaceChildren(summary, make("ul", { className: "plain" }, ...items));
}

function ratioOf({ score, threshold }: Inspection): string {
  return threshold === null
    ? score.toPrecision(3)
    : (score / threshold).toFixed(2);
}

function describe({ score, threshold, ms }: Inspection): string {
  const ratio = threshold === null
    ? "the model has no threshold"
    : `${(score / threshold).toFixed(2)} × the model's threshold`;
  return `score ${score.toPrecision(4)}, ${ratio}; ${ms.toFixed(0)} ms`;
}

function figure(canvas: HTMLCanvasElement, caption: string): HTMLElement {
  return make(
    "figure",
    {},
    canvas,
    make("figcaption", { textContent: caption }),
  );
}

function nearestFigure({ name, x, y, closeUp }: Inspection["nearest"]): Node {
  const caption = `Nearest training patch: ${name}`;
  return closeUp === undefined
    ? make("p", {
      className: "quiet",
      textContent: `${caption} at ${Math.round(x)}, ${Math.round(y)}`,
    })
    : figure(closeUpCanvas(closeUp, "Nearest training patch"), caption);
}
