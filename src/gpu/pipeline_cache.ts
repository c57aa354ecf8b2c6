import type { Access, Kernel } from "../wgsl/kernel.ts";
import { GpuError } from "./errors.ts";

/** A compiled kernel together with the layout of its bindings. */
export interface Pipeline {
  /** The compute pipeline. */
  readonly pipeline: GPUComputePipeline;
  /** Layout of group 0: the kernel's bindings, then its uniform. */
  readonly layout: GPUBindGroupLayout;
}

/**
 * Compiled kernels by name and override constants; each is compiled once.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * import { Gpu } from "@patchcore/webgpu/gpu";
 * import { rowNorms } from "@patchcore/webgpu/wgsl";
 *
 * using gpu = await Gpu.create();
 * const first = await gpu.pipelines.get(rowNorms, {});
 * assertEquals(await gpu.pipelines.get(rowNorms, {}), first);
 * ```
 */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, Promise<Pipeline>>();
  readonly #modules = new Map<string, Promise<GPUShaderModule>>();
  #acceptsEnableSubgroups: Promise<boolean> | undefined;

  /** An empty cache. */
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /**
   * The compiled kernel; concurrent calls share one compilation, and a refused
   * one is tried again by the next call.
   *
   * @throws {GpuError} If the kernel does not compile, with the compiler's words.
   */
  get(
    kernel: Kernel<never>,
    overrides: Readonly<Record<string, number>>,
  ): Promise<Pipeline> {
    const constants = { ...kernel.overrides, ...overrides };
    const key = `${kernel.name} ${JSON.stringify(constants)}`;
    return once(
      this.#pipelines,
      key,
      () => this.#compile(kernel, constants, key),
    );
  }

  /**
   * The directives of a kernel. naga has subgroup functions but refuses the
   * line that the standard asks for, so one probe decides. Where it is accepted
   * the uniformity of subgroups is not to be proved: a loop that ends when
   * `subgroupAny` says so is uniform, but no compiler derives that.
   */
  async #directives({ enables = [] }: Kernel<never>): Promise<string> {
    const lines = enables.map((extension) => `enable ${extension};\n`);
    if (!enables.includes("subgroups")) return lines.join("");
    const line = "enable subgroups;\n";
    this.#acceptsEnableSubgroups ??= this.#compiles(line);
    return await this.#acceptsEnableSubgroups
      ? `${lines.join("")}diagnostic(off, subgroup_uniformity);\n`
      : lines.filter((other) => other !== line).join("");
  }

  /**
   * The shader module of a kernel: its text, checked.
   *
   * @throws {GpuError} If the text is refused, with the compiler's words.
   */
  module(kernel: Kernel<never>): Promise<GPUShaderModule> {
    return once(this.#modules, kernel.name, () => this.#check(kernel));
  }

  async #check(kernel: Kernel<never>): Promise<GPUShaderModule> {
    const directives = await this.#directives(kernel);
    this.#device.pushErrorScope("validation");
    const module = this.#device.createShaderModule({
      label: kernel.name,
      code: directives + kernel.source,
    });
    const error = await this.#device.popErrorScope();
    if (error === null) return module;
    throw new GpuError(
      `Cannot compile kernel "${kernel.name}": ${error.message}`,
    );
  }

  async #compiles(code: string): Promise<boolean> {
    this.#device.pushErrorScope("validation");
    this.#device.createShaderModule({ label: "probe", code });
    return await this.#device.popErrorScope() === null;
  }

  async #compile(
    kernel: Kernel<never>,
    constants: Record<string, number>,
    label: string,
  ): Promise<Pipeline> {
    const device = this.#device;
    const module = await this.module(kernel);
    device.pushErrorScope("validation");
    const layout = device.createBindGroupLayout({
      label,
      entries: layoutEntries(kernel),
    });
    const pipelineLayout = device.createPipelineLayout({
      bindGroupLayouts: [layout],
    });
    const layoutError = await device.popErrorScope();
    if (layoutError !== null) {
      throw new GpuError(
        `Cannot bind kernel "${kernel.name}": ${layoutError.message}`,
      );
    }
    try {
      const pipeline = await device.createComputePipelineAsync({
        label,
        layout: pipelineLayout,
        compute: { module, entryPoint: "main", constants },
      });
      return { pipeline, layout };
    } catch (cause) {
      throw new GpuError(
        `Cannot compile kernel "${kernel.name}" with ${
          JSON.stringify(constants)
        }: ${cause instanceof Error ? cause.message : cause}`,
        { cause },
      );
    }
  }
}

/** What a key stands for, made once; what could not be made is forgotten. */
function once<Value>(
  known: Map<string, Promise<Value>>,
  key: string,
  make: () => Promise<Value>,
): Promise<Value> {
  let value = known.get(key);
  if (value === undefined) {
    value = make();
    known.set(key, value);
    value.catch(() => known.delete(key));
  }
  return value;
}

type BindingLayout = Pick<GPUBindGroupLayoutEntry, "buffer" | "storageTexture">;

function layoutEntries(kernel: Kernel<never>): GPUBindGroupLayoutEntry[] {
  const layouts: BindingLayout[] = Object.values(kernel.bindings).map(layoutOf);
  if (Object.keys(kernel.params).length > 0) {
    layouts.push({ buffer: { type: "uniform" } });
  }
  return layouts.map((layout, binding) => ({
    binding,
    visibility: 4, // GPUShaderStage.COMPUTE, which Node's bindings do not define
    ...layout,
  }));
}

function layoutOf(access: Access): BindingLayout {
  switch (access) {
    case "read":
      return { buffer: { type: "read-only-storage" } };
    case "read_write":
      return { buffer: { type: "storage" } };
    case "image_f32":
      return { storageTexture: { access: "read-only", format: "rgba32float" } };
    case "image_f16":
      return { storageTexture: { access: "read-only", format: "rg32uint" } };
  }
}
