import { element, make } from "./elements.ts";
import { type ServerModel, serverModels } from "./server.ts";

/** Where images are inspected. */
type Choice =
  | { readonly kind: "device" }
  | {
    readonly kind: "server";
    readonly model: ServerModel;
    readonly token: string;
  };

const DEVICE = "device";
const SERVER = "server ";

/** The choice between this device and the models of the server. */
export class InspectorChoice {
  readonly #select = element("inspector", HTMLSelectElement);
  readonly #field = element("inspector-field", HTMLElement);
  readonly #onChange: () => void;
  readonly #models = new Map<string, ServerModel>();
  #token = "";
  #hasDevice = false;

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
    const { models, needsToken } = await serverModels(this.#token);
    element("token-field", HTMLElement).hidden = !needsToken;
    for (const model of models) {
      const value = SERVER + model.name;
      const textContent = `server, model "${model.name}"`;
      this.#models.set(value, model);
      this.#select.append(make("option", { value, textContent }));
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
    if (value === DEVICE) return { kind: "device" };
    const model = this.#models.get(value);
    return model && { kind: "server", model, token: this.#token };
  }

  /** Chooses this device, where it has a GPU. */
  choose(value: typeof DEVICE): void {
    if (this.#hasDevice) this.#select.value = value;
  }
}
