import { assert, assertEquals, assertMatch } from "@std/assert";
import { faultOf, type Job, run, strays } from "./workplace.ts";

/** Calls that a device is lost at. */
export type Place = "submit" | "createBuffer" | "createComputePipelineAsync";

/** Counts calls of devices, and loses a device at one of them. */
export class Losses {
  readonly #counts: Record<Place, number> = {
    submit: 0,
    createBuffer: 0,
    createComputePipelineAsync: 0,
  };
  #at: { readonly place: Place; readonly call: number } | undefined;
  readonly #restore: (() => void)[] = [];

  constructor() {
    const devices = new WeakMap<object, GPUDevice>();
    const called = (place: Place, device: GPUDevice | undefined): void => {
      const call = this.#counts[place]++;
      const at = this.#at;
      if (at?.place === place && at.call === call) device?.destroy();
    };
    this.#wrap(
      GPUAdapter.prototype,
      "requestDevice",
      (request) =>
        async function (this: GPUAdapter, ...args: unknown[]) {
          const device = await request.apply(this, args) as GPUDevice;
          devices.set(device.queue, device);
          return device;
        },
    );
    this.#wrap(
      GPUQueue.prototype,
      "submit",
      (submit) =>
        function (this: GPUQueue, ...args: unknown[]) {
          called("submit", devices.get(this));
          return submit.apply(this, args);
        },
    );
    for (
      const place of ["createBuffer", "createComputePipelineAsync"] as const
    ) {
      this.#wrap(
        GPUDevice.prototype,
        place,
        (create) =>
          function (this: GPUDevice, ...args: unknown[]) {
            called(place, this);
            return create.apply(this, args);
          },
      );
    }
  }

  #wrap(
    prototype: object,
    name: string,
    wrapper: (
      call: (this: unknown, ...args: unknown[]) => unknown,
    ) => (...args: never[]) => unknown,
  ): void {
    const original = Reflect.get(prototype, name);
    Reflect.set(prototype, name, wrapper(original));
    this.#restore.push(() => void Reflect.set(prototype, name, original));
  }

  /** The calls of a run, by place. */
  async count(work: () => Promise<void>): Promise<Record<Place, number>> {
    this.#start();
    await work();
    return { ...this.#counts };
  }

  /** Runs `work`, losing the device at a call. */
  async at<T>(place: Place, call: number, work: () => Promise<T>): Promise<T> {
    this.#start();
    this.#at = { place, call };
    try {
      return await work();
    } finally {
      this.#at = undefined;
    }
  }

  #start(): void {
    for (const place of Object.keys(this.#counts)) {
      this.#counts[place as Place] = 0;
    }
  }

  /** Leaves WebGPU as it was. */
  [Symbol.dispose](): void {
    for (const restore of this.#restore) restore();
  }
}

/**
 * Loses the device in a run of a job, and sees that it ends with 1, says so in
 * one sentence, and leaves nothing half written.
 */
export async function loseOnce(
  job: Job,
  losses: Losses,
  { folder, place, call }: {
    readonly folder: string;
    readonly place: Place;
    readonly call: number;
  },
): Promise<void> {
  await Deno.mkdir(folder);
  const { code, stderr } = await losses.at(
    place,
    call,
    () => run(job.argv(folder)),
  );
  const what = `${job.name}, lost at ${place} ${call}: ${stderr}`;
  assertEquals(code, 1, what);
  assertEquals(faultOf(stderr), undefined, what);
  assertMatch(stderr, /error: .*\b(lost|GPU)\b/, what);
  assert(!await job.inspect(folder), what);
  assertEquals(await strays(folder), [], what);
  await Deno.remove(folder, { recursive: true });
}
