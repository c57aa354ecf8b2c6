import { Gpu } from "./gpu.ts";

/** What the device of a dry run must imitate. */
export interface DeviceTraits {
  /** Its limits. */
  readonly limits: GPUSupportedLimits;
  /** Its features. */
  readonly features: GPUSupportedFeatures;
}

/** Fills what is read back of a buffer in a dry run; it holds zeros before. */
export type DryContents = (label: string, words: Uint32Array) => void;

interface DryBuffer {
  label: string;
  readonly size: number;
  readonly mappable: boolean;
  /** Of a mappable buffer: what was copied into it. */
  copies: { readonly from: DryBuffer; readonly to: number; bytes: number }[];
  destroy(): void;
}

/**
 * A device without memory or work: programs are recorded, compiled and
 * submitted on it as on any other, and all it does is to count the bytes of the
 * buffers that exist. So what a piece of work will need is found by running its
 * own code, not by a second description of it.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { DryDevice, Gpu } from "@patchcore/webgpu/gpu";
 *
 * using gpu = await Gpu.create();
 * const dry = new DryDevice(gpu.device);
 * dry.device.createBuffer({ label: "bank", size: 4096, usage: 0x80 });
 * assert(dry.atPeak.get("bank") === 4096);
 * ```
 */
export class DryDevice {
  /** The imitation. */
  readonly device: GPUDevice;
  readonly #contents: DryContents;
  readonly #live = new Set<DryBuffer>();
  #bytes = 0;
  #peakBytes = 0;
  #atPeak: Map<string, number> = new Map();

  /**
   * A device with nothing on it.
   *
   * @param traits Limits and features of the device it stands for.
   * @param contents What reading back yields; zeros by default.
   */
  constructor(traits: DeviceTraits, contents: DryContents = () => {}) {
    this.#contents = contents;
    const nothing = (): object => ({});
    this.device = {
      ...{ limits: traits.limits, features: traits.features },
      lost: new Promise(() => {}),
      queue: {
        submit: nothing,
        writeBuffer: nothing,
        writeTexture: nothing,
        onSubmittedWorkDone: () => Promise.resolve(),
      },
      addEventListener: nothing,
      pushErrorScope: nothing,
      popErrorScope: () => Promise.resolve(null),
      createShaderModule: nothing,
      createBindGroupLayout: nothing,
      createPipelineLayout: nothing,
      createComputePipelineAsync: () => Promise.resolve({}),
      createBindGroup: nothing,
      createQuerySet: () => ({ destroy: nothing }),
      createBuffer: (descriptor: GPUBufferDescriptor) =>
        this.#createBuffer(descriptor),
      createTexture: (descriptor: GPUTextureDescriptor) =>
        this.#createTexture(descriptor),
      createCommandEncoder: () => ENCODER,
      destroy: nothing,
    } as unknown as GPUDevice;
  }

  /** The most bytes that existed at one time, by the label of their buffer. */
  get atPeak(): ReadonlyMap<string, number> {
    return this.#atPeak;
  }

  #createTexture({ label = "", size, format }: GPUTextureDescriptor): object {
    const [width, height] = size as [number, number];
    const bytes = width * height * (format === "rgba32float" ? 16 : 8);
    const texture = this.#allocate(label, bytes, false);
    return { width, height, createView: () => ({}), destroy: texture.destroy };
  }

  #createBuffer({ label = "", size, usage }: GPUBufferDescriptor): object {
    const buffer = this.#allocate(label, size, (usage & 0x01) !== 0); // MAP_READ
    return Object.assign(buffer, {
      mapAsync: () => Promise.resolve(),
      unmap: () => buffer.copies = [],
      getMappedRange: (_offset: number, bytes: number) =>
        this.#read(buffer, bytes),
    });
  }

  #allocate(label: string, size: number, mappable: boolean): DryBuffer {
    const buffer: DryBuffer = {
      ...{ label, size, mappable, copies: [] },
      destroy: () => {
        if (this.#live.delete(buffer)) this.#bytes -= size;
      },
    };
    this.#live.add(buffer);
    this.#bytes += size;
    if (this.#bytes > this.#peakBytes) {
      this.#peakBytes = this.#bytes;
      this.#atPeak = new Map();
      for (const { label, size } of this.#live) {
        this.#atPeak.set(label, (this.#atPeak.get(label) ?? 0) + size);
      }
    }
    return buffer;
  }

  #read({ copies }: DryBuffer, bytes: number): ArrayBuffer {
    const range = new ArrayBuffer(bytes);
    for (const { from, to, bytes } of copies) {
      this.#contents(from.label, new Uint32Array(range, to, bytes / 4));
    }
    return range;
  }
}

/** A {@linkcode Gpu} on a {@linkcode DryDevice}. */
export interface DryGpu {
  /** Runs programs without doing anything. */
  readonly gpu: Gpu;
  /** Counts the bytes. */
  readonly memory: DryDevice;
}

/**
 * Imitates a device without using it.
 *
 * @param gpu What to imitate.
 * @param contents What reading back yields; zeros by default.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { dryGpu, Gpu } from "@patchcore/webgpu/gpu";
 *
 * using gpu = await Gpu.create();
 * // A gigabyte that is counted, and never allocated.
 * const { gpu: dry } = dryGpu(gpu);
 * const tensors = Array.from({ length: 16 }, () => dry.tensor([2 ** 24]));
 * assert(dry.peakBytes >= 2 ** 30);
 * tensors.forEach((tensor) => tensor.dispose());
 * ```
 */
export function dryGpu(gpu: Gpu, contents?: DryContents): DryGpu {
  const memory = new DryDevice(gpu.device, contents);
  return { gpu: new Gpu(memory.device, gpu.adapterInfo, true), memory };
}

const PASS = {
  setPipeline(): void {},
  setBindGroup(): void {},
  dispatchWorkgroups(): void {},
  end(): void {},
};

const ENCODER = {
  beginComputePass: () => PASS,
  clearBuffer(): void {},
  copyBufferToTexture(): void {},
  resolveQuerySet(): void {},
  copyBufferToBuffer(
    from: DryBuffer,
    _offset: number,
    target: DryBuffer,
    to: number,
    bytes: number,
  ): void {
    if (target.mappable) target.copies.push({ from, to, bytes });
  },
  finish: () => ({}),
};
