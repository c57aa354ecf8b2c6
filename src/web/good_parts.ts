import type { NamedImage } from "../core/mod.ts";
import { loadPixels } from "../core/features/image_source.ts";
import { thumbnail } from "../core/report/thumbnail.ts";
import { element, make, tellProblem } from "./elements.ts";
import { canvasOf } from "./pictures.ts";

const THUMB_SIDE = 96;

/** The good parts that a model is to be fitted to. */
export class GoodParts {
  readonly #list: HTMLElement;
  readonly #onChange: (count: number) => void;
  readonly #images = new Map<string, NamedImage>();

  /** @param onChange Called with their number when it changes. */
  constructor(id: string, onChange: (count: number) => void) {
    this.#list = element(id, HTMLElement);
    this.#onChange = onChange;
  }

  /** The images in the order they were added. */
  get images(): readonly NamedImage[] {
    return [...this.#images.values()];
  }

  /** Adds images; those that cannot be read are told and left out. */
  async add(images: readonly NamedImage[]): Promise<void> {
    for (const image of images) {
      try {
        await this.#add(image);
      } catch (error) {
        tellProblem(error);
      }
    }
  }

  async #add(image: NamedImage): Promise<void> {
    const pixels = await loadPixels(image);
    const name = this.#freeName(image.name);
    const button = make(
      "button",
      { type: "button", title: `Remove ${name}` },
      canvasOf(thumbnail(pixels, THUMB_SIDE), `Remove ${name}`),
    );
    const item = make("li", {}, button);
    button.addEventListener("click", () => {
      const next = item.nextElementSibling ?? item.previousElementSibling;
      this.#images.delete(name);
      item.remove();
      next?.querySelector("button")?.focus();
      this.#onChange(this.#images.size);
    });
    this.#images.set(name, { ...image, name });
    this.#list.append(item);
    this.#onChange(this.#images.size);
  }

  #freeName(name: string): string {
    let free = name;
    for (let i = 2; this.#images.has(free); i++) free = `${name} (${i})`;
    return free;
  }

  /** Removes all. */
  clear(): void {
    this.#images.clear();
    this.#list.replaceChildren();
    this.#onChange(0);
  }
}
