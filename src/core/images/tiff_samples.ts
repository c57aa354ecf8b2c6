import type { SampleData, SampleKind, Samples } from "./samples.ts";
import { rgbOfCmyk } from "./cmyk.ts";
import { DECOMPRESS } from "./tiff_codecs.ts";
import type { TiffHeader } from "./tiff_header.ts";

/**
 * Decodes a TIFF's first image without losing a bit. Alpha is dropped, after
 * colours that were multiplied with it are divided again; palettes and CMYK
 * become RGB of 8 bits, as Pillow has it.
 *
 * @param bytes The file.
 * @param header What it says of itself.
 * @throws {Error} If a block's data is damaged or ends too soon.
 */
export async function decodeTiffSamples(
  bytes: Uint8Array,
  header: TiffHeader,
): Promise<Samples> {
  const { width, height, bits, kind, samples: stored } = header;
  const data = await storedSamples(bytes, header);
  const channels = header.color === "rgb" ? 3 : 1;
  const common = { width, height, bits, kind };
  switch (header.color) {
    case "palette":
      return { ...common, bits: 8, channels: 3, data: looked(data, header) };
    case "cmyk":
      return { ...common, channels: 3, bits: 8, data: inked(data, header) };
    default: {
      if (header.isPremultiplied) divideByAlpha(data, header, channels);
      const own = stored === channels
        ? data
        : firstOf(data, { stored, channels });
      if (header.color === "white is zero") invert(own, header);
      return { ...common, channels, data: own };
    }
  }
}

/** All samples of all pixels, alpha and whatever else included. */
async function storedSamples(
  bytes: Uint8Array,
  header: TiffHeader,
): Promise<SampleData> {
  const { width, height, bits, blocks, isPlanar } = header;
  const all = sampleData(header, width * height * header.samples);
  const planes = isPlanar ? header.samples : 1;
  const samples = isPlanar ? 1 : header.samples;
  const rowBytes = Math.ceil(blocks.width * samples * bits / 8);
  const across = Math.ceil(width / blocks.width);
  const down = Math.ceil(height / blocks.height);
  for (let plane = 0, block = 0; plane < planes; plane++) {
    for (let place = 0; place < across * down; place++, block++) {
      const left = place % across * blocks.width;
      const top = Math.floor(place / across) * blocks.height;
      const rows = Math.min(blocks.height, height - top);
      const stored = blocks.areWhole ? blocks.height : rows;
      const start = blocks.offsets[block]!;
      const packed = bytes.subarray(start, start + blocks.lengths[block]!);
      const unpacked = await DECOMPRESS[header.compression](
        header.isReversed ? packed.map(reversed) : packed,
        stored * rowBytes,
      );
      if (unpacked.length < rows * rowBytes) {
        throw new Error(
          `block ${
            block + 1
          } has ${unpacked.length} bytes of pixels, expected ${
            stored * rowBytes
          }`,
        );
      }
      const columns = Math.min(blocks.width, width - left);
      for (let row = 0; row < rows; row++) {
        const line = lineOf(
          unpacked.subarray(row * rowBytes, (row + 1) * rowBytes),
          header,
          blocks.width * samples,
          samples,
        );
        const at = ((top + row) * width + left) * header.samples + plane;
        if (planes === 1) {
          all.set(line.subarray(0, columns * samples), at);
          continue;
        }
        for (let i = 0; i < columns; i++) all[at + i * planes] = line[i]!;
      }
    }
  }
  return all;
}

/** An array for samples of a file. */
function sampleData(
  { bits, kind }: Pick<TiffHeader, "bits" | "kind">,
  length: number,
): SampleData {
  const bytes = bits <= 8 ? 1 : bits <= 16 ? 2 : bits / 8;
  return new ARRAYS[kind][bytes]!(length);
}

type ArrayOf = new (length: number) => SampleData;

const ARRAYS: Readonly<Record<SampleKind, Readonly<Record<number, ArrayOf>>>> =
  {
    unsigned: { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array },
    signed: { 1: Int8Array, 2: Int16Array, 4: Int32Array },
    float: { 4: Float32Array, 8: Float64Array },
  };

/**
 * Samples of one row of a block, its differences summed up.
 *
 * @param line Its bytes, which are changed.
 * @param length Its samples.
 * @param step Samples of a pixel.
 */
function lineOf(
  line: Uint8Array,
  header: TiffHeader,
  length: number,
  step: number,
): SampleData {
  const { bits, predictor } = header;
  const bytes = bits / 8;
  let isLittle = header.isLittle;
  let stored = line;
  if (predictor === 3) {
    for (let i = step; i < line.length; i++) line[i]! += line[i - step]!;
    stored = interleaved(line, length, bytes);
    isLittle = false;
  }
  const samples = sampleData(header, length);
  if (bits === 8) {
    new Uint8Array(samples.buffer).set(stored);
  } else if (bits % 8 === 0 && bits > 8) {
    const view = new DataView(stored.buffer, stored.byteOffset, stored.length);
    readSamples(samples, view, isLittle);
  } else unpackBits(samples, stored, bits);
  if (predictor === 2) {
    for (let i = step; i < length; i++) samples[i]! += samples[i - step]!;
  }
  return samples;
}

/** Bytes of floats, of which the file has all high bytes first. */
function interleaved(
  line: Uint8Array,
  length: number,
  bytes: number,
): Uint8Array {
  const whole = new Uint8Array(line.length);
  for (let byte = 0; byte < bytes; byte++) {
    for (let i = 0; i < length; i++) {
      whole[i * bytes + byte] = line[byte * length + i]!;
    }
  }
  return whole;
}

function readSamples(
  samples: SampleData,
  view: DataView,
  isLittle: boolean,
): void {
  const { length } = samples;
  if (samples instanceof Uint16Array) {
    for (let i = 0; i < length; i++) {
      samples[i] = view.getUint16(2 * i, isLittle);
    }
  } else if (samples instanceof Int16Array) {
    for (let i = 0; i < length; i++) {
      samples[i] = view.getInt16(2 * i, isLittle);
    }
  } else if (samples instanceof Uint32Array) {
    for (let i = 0; i < length; i++) {
      samples[i] = view.getUint32(4 * i, isLittle);
    }
  } else if (samples instanceof Int32Array) {
    for (let i = 0; i < length; i++) {
      samples[i] = view.getInt32(4 * i, isLittle);
    }
  } else if (samples instanceof Float32Array) {
    for (let i = 0; i < length; i++) {
      samples[i] = view.getFloat32(4 * i, isLittle);
    }
  } else {
    for (let i = 0; i < length; i++) {
      samples[i] = view.getFloat64(8 * i, isLittle);
    }
  }
}

/** Samples of any number of bits, high bits first, a row's last byte padded. */
function unpackBits(samples: SampleData, line: Uint8Array, bits: number): void {
  const mask = 2 ** bits - 1;
  let [held, heldBits, from] = [0, 0, 0];
  for (let i = 0; i < samples.length; i++) {
    while (heldBits < bits) {
      held = held << 8 | line[from++]!;
      heldBits += 8;
    }
    heldBits -= bits;
    samples[i] = held >>> heldBits & mask;
  }
}

/** A byte with its bits the other way round. */
function reversed(byte: number): number {
  let turned = 0;
  for (let bit = 0; bit < 8; bit++) turned = turned << 1 | byte >> bit & 1;
  return turned;
}

/** The first channels of each pixel. */
function firstOf(
  data: SampleData,
  { stored, channels }: { readonly stored: number; readonly channels: number },
): SampleData {
  const length = data.length / stored * channels;
  const first = data.slice(0, length);
  for (let pixel = 0; pixel * channels < length; pixel++) {
    for (let c = 0; c < channels; c++) {
      first[pixel * channels + c] = data[pixel * stored + c]!;
    }
  }
  return first;
}

function divideByAlpha(
  data: SampleData,
  { samples, bits, kind }: TiffHeader,
  channels: number,
): void {
  const most = kind === "float" ? 1 : 2 ** bits - 1;
  for (let at = 0; at < data.length; at += samples) {
    const alpha = data[at + channels]!;
    if (alpha === 0 || alpha === most) continue;
    for (let c = at; c < at + channels; c++) {
      const whole = data[c]! * most / alpha;
      data[c] = kind === "float" ? whole : Math.min(most, Math.floor(whole));
    }
  }
}

function invert(data: SampleData, { bits, kind }: TiffHeader): void {
  if (kind !== "unsigned") return;
  const most = 2 ** bits - 1;
  for (let i = 0; i < data.length; i++) data[i] = most - data[i]!;
}

/** Colours of a palette, the 8 high bits of each. */
function looked(
  data: SampleData,
  { bits, palette, samples }: TiffHeader,
): Uint8Array {
  const colors = 2 ** bits;
  const rgb = new Uint8Array(data.length / samples * 3);
  for (let from = 0, to = 0; from < data.length; from += samples, to += 3) {
    const index = data[from]!;
    rgb[to] = palette[index]! >> 8;
    rgb[to + 1] = palette[colors + index]! >> 8;
    rgb[to + 2] = palette[2 * colors + index]! >> 8;
  }
  return rgb;
}

/** Light of inks, 255 is full ink. */
function inked(data: SampleData, { samples }: TiffHeader): Uint8Array {
  const inks = firstOf(data, { stored: samples, channels: 4 }) as Uint8Array;
  return rgbOfCmyk(inks);
}
