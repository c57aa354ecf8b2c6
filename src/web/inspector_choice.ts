import type { RegionSetting } from "../core/mod.ts";
import { element, make } from "./elements.ts";
import { serverModels } from "./server.ts";

/** Where images are inspected. */
type Choice =
  | { readonly kind: "device" }
  | {
    readonly kind: "server";
    readonly model: string;
    readonly token: string;
    /** What it inspects of images, where that is not all. */
    readonly region?: RegionSetting;
  };

const DEVICE = "device";
const SERVER = "server ";

/** The choice between this device and the models of the server. */
export class InspectorChoice {
  readonly #select = element("inspector", HTMLSelectElement);
  readonly #field = element("inspector-field", HTMLElement);
  readonly #onChange: () => void;
  #token = "";
  #hasDevice = false;
  #regions: ReadonlyMap<string, RegionSetting | undefined> = new Map();

  /** @param onChange Called when another one is chosen. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
    this.#select.addEventListener("change", onChange);
    const token = element("token", HTMLInputElement);
    token.addEventListener("change", () => {
      this.#token = token.value;
      void this.#addModels();
    });
  }

  /**
   * Finds out what there is.
   *
   * @param device What this device's GPU is called; undefined without one.
   */
  async find(device: string | undefined): Promise<void> {
    this.#hasDevice = device !== undefined;
    if (device !== undefined) {
      this.#select.append(
        make("option", { value: DEVICE, textContent: device }),
      );
    }
    await this.#addModels();
  }

  async #addModels(): Promise<void> {
    const { names, regions, needsToken } = await serverModels(this.#token);
    this.#regions = regions;
    element("token-field", HTMLElement).hidden = !needsToken;
    for (const name of names) {
      const textContent = `server, model "${name}"`;
      this.#select.append(
        make("option", { value: SERVER + name, textContent }),
      );
    }
    this.#field.hidden = !this.hasServer;
    this.#onChange();
  }

  /** Whether there is a server that can inspect. */
  get hasServer(): boolean {
    return this.#select.options.length > (this.#hasDevice ? 1 : 0);
  }

  /** What is chosen. */
  get choice(): Choice | undefined {
    const { value } = this.#select;
    if (value === "") return undefined;
    if (value === DEVICE) return { kind: "device" };
    const model = value.slice(SERVER.length);
    const region = this.#regions.get(model);
    const token = this.#token;
    return { kind: "server", model, token, ...(region && { region }) };
  }

  /** Chooses this device, where it has a GPU. */
  choose(value: typeof DEVICE): void {
    if (this.#hasDevice) this.#select.value = value;
  }
}
