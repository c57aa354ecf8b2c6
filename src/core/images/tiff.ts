import type { FloatImage } from "./pixels.ts";

const SHORT = 3;
const LONG = 4;
const HEADER_BYTES = 8;

/**
 * Encodes float32 values as an uncompressed grey TIFF of one strip, as
 * tifffile, Pillow, ImageJ and GDAL read it. NaN stays NaN.
 *
 * @throws {RangeError} If the data is not as long as the size says.
 */
export function encodeTiff(image: FloatImage): Uint8Array<ArrayBuffer> {
  const { width, height, data } = image;
  if (data.length !== width * height || data.length === 0) {
    throw new RangeError(
      `Cannot encode a TIFF of ${width} × ${height} pixels: data has ${data.length} values`,
    );
  }
  const byteCount = data.length * 4;
  // tag, type, value; in ascending order of tags
  const entries: readonly (readonly [number, number, number])[] = [
    [256, /* ImageWidth */ LONG, width],
    [257, /* ImageLength */ LONG, height],
    [258, /* BitsPerSample */ SHORT, 32],
    [259, /* Compression: none */ SHORT, 1],
    [262, /* PhotometricInterpretation: 0 is black */ SHORT, 1],
    [273, /* StripOffsets */ LONG, HEADER_BYTES],
    [277, /* SamplesPerPixel */ SHORT, 1],
    [278, /* RowsPerStrip */ LONG, height],
    [279, /* StripByteCounts */ LONG, byteCount],
    [339, /* SampleFormat: IEEE float */ SHORT, 3],
  ];
  const directory = HEADER_BYTES + byteCount;
  const bytes = new Uint8Array(directory + 2 + entries.length * 12 + 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x4949, true);
  view.setUint16(2, 42, true);
  view.setUint32(4, directory, true);
  data.forEach((value, i) =>
    view.setFloat32(HEADER_BYTES + i * 4, value, true)
  );
  view.setUint16(directory, entries.length, true);
  entries.forEach(([tag, type, value], i) => {
    const at = directory + 2 + i * 12;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, 1, true);
    view.setUint32(at + 8, value, true);
  });
  return bytes;
}
