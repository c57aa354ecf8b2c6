const FORMATS = "PNG, JPEG, TIFF, BMP, WebP, GIF or AVIF";
const CONVERT = "convert it to PNG";

/**
 * Says what a file is that is no readable image: the two last arguments of an
 * `ImageError`.
 *
 * @param bytes The file, recognised as none of the formats that can be read.
 * @returns What was found, and what to do.
 */
export function describeForeign(bytes: Uint8Array): [string, string?] {
  if (bytes.length === 0) {
    return ["the file is empty", "copy or download it again"];
  }
  const head = String.fromCharCode(...bytes.subarray(0, 512));
  if (head.startsWith("version https://git-lfs")) {
    return [
      "it is a Git LFS pointer, not the image itself",
      "fetch the images with `git lfs pull`",
    ];
  }
  const text = head.trimStart().toLowerCase();
  if (/^(<!doctype html|<html|<head|<body)/.test(text)) {
    return ["it is a web page", "download the image itself, not its page"];
  }
  if (/^(<\?xml|<svg)/.test(text)) {
    return [`it is XML or SVG, expected ${FORMATS}`, CONVERT];
  }
  const format = otherFormat(bytes, head);
  if (format !== undefined) {
    return [`it is ${format}, expected ${FORMATS}`, CONVERT];
  }
  if (isText(bytes.subarray(0, 512))) {
    return [`it is a text file, expected ${FORMATS}`];
  }
  const isCut = /^(BM|RIFF|GIF8|\x89PNG|\xff\xd8|II\*|MM\0)/.test(head);
  return isCut
    ? ["the file ends before its header does", "copy or download it again"]
    : [`its content is none of ${FORMATS}`];
}

function otherFormat(bytes: Uint8Array, head: string): string | undefined {
  if (head.slice(4, 8) === "ftyp") {
    const brand = head.slice(8, 12);
    if (/^(heic|heix|hevc|heim|heis|mif1|msf1)$/.test(brand)) {
      return "an HEIC image";
    }
    return "a video or another ISO media file";
  }
  if (head.startsWith("\xff\x0a") || head.slice(4, 8) === "JXL ") {
    return "a JPEG XL image";
  }
  if (head.slice(4, 8) === "jP  " || head.startsWith("\xff\x4f\xff\x51")) {
    return "a JPEG 2000 image";
  }
  if (/^P[1-7]\s/.test(head)) return "a PNM image";
  if (head.startsWith("8BPS")) return "a Photoshop document";
  if (head.startsWith("%PDF")) return "a PDF document";
  if (head.startsWith("PK\x03\x04")) return "a ZIP archive";
  if (head.startsWith("\x93NUMPY")) return "a NumPy array";
  if (head.startsWith("\0\0\x01\0")) return "a Windows icon";
  if (head.slice(128, 132) === "DICM") return "a DICOM image";
  if (bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b) {
    return "gzip-compressed";
  }
}

function isText(bytes: Uint8Array): boolean {
  const isPrintable = (byte: number): boolean =>
    byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
  if (!bytes.every(isPrintable)) return false;
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    decoder.decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
