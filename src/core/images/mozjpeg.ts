/**
 * JPEG as libjpeg-turbo decodes it, and with it Pillow and OpenCV: by mozjpeg,
 * which is made from it.
 *
 * @module
 */
import type { Pixels } from "./pixels.ts";

interface MozJpeg {
  decode(bytes: Uint8Array, preserveOrientation: boolean): Pixels | null;
}

interface MozJpegModule {
  default(options: {
    readonly instantiateWasm: (
      imports: WebAssembly.Imports,
      done: (instance: WebAssembly.Instance) => void,
    ) => WebAssembly.Exports;
    readonly print: (text: string) => void;
    readonly printErr: (text: string) => void;
  }): Promise<MozJpeg>;
}

/** What libjpeg says where pixels were lost, not only something beside them. */
const DAMAGE = /premature end|bad Huffman|instead of RST|progression/i;

let compiled: Promise<WebAssembly.Module | undefined> | undefined;

/**
 * Opens a decoder of JPEG files with one or three channels, as stored: not
 * turned upright. It throws where the data is damaged, and cannot be used again
 * then.
 *
 * @returns Nothing where a page's policy forbids WebAssembly.
 */
export async function openJpegDecoder(): Promise<
  ((bytes: Uint8Array) => Pixels) | undefined
> {
  const wasm = await (compiled ??= compile());
  if (wasm === undefined) return undefined;
  const { default: open } = await import(
    "npm:@jsquash/jpeg@1.6.0/codec/dec/mozjpeg_dec.js"
  ) as unknown as MozJpegModule;
  const said: string[] = [];
  const module = await open({
    instantiateWasm: (imports, done) => {
      const instance = new WebAssembly.Instance(wasm, imports);
      done(instance);
      return instance.exports;
    },
    print: (text) => void said.push(text),
    printErr: (text) => void said.push(text),
  });
  return (bytes) => {
    said.length = 0;
    let pixels: Pixels | null;
    try {
      pixels = module.decode(bytes, false);
    } catch (cause) {
      throw new Error(said[0] ?? "it cannot be decoded", { cause });
    }
    const damage = said.find((text) => DAMAGE.test(text));
    if (pixels === null || damage !== undefined) {
      throw new Error(damage ?? "it cannot be decoded");
    }
    const { width, height, data } = pixels;
    return { width, height, data };
  };
}

async function compile(): Promise<WebAssembly.Module | undefined> {
  const { MOZJPEG_WASM } = await import("./mozjpeg_wasm.ts");
  const gzip = new Blob([Uint8Array.fromBase64(MOZJPEG_WASM)]).stream()
    .pipeThrough(new DecompressionStream("gzip"));
  const wasm = await new Response(gzip).arrayBuffer();
  try {
    return await WebAssembly.compile(wasm);
  } catch {
    // It is sound: what fails is the policy.
    return undefined;
  }
}
