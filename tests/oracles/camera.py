"""Writes tests/golden/camera: small TIFF, PNG and JPEG files as cameras and
their software write them, and what Pillow reads from them.

Run with Debian 12's python3-pil (9.4, libjpeg-turbo 2.1.5, libtiff 4.5),
libtiff-tools, libjpeg-turbo-progs, libavif-bin and imagemagick (6.9):
/usr/bin/python3 tests/oracles/camera.py
"""

import hashlib
import io
import json
import math
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile

from PIL import Image, ImageOps

FOLDER = pathlib.Path(__file__).parent.parent / "golden" / "camera"
CASES = []
WORK = pathlib.Path(tempfile.mkdtemp())
WIDTH, HEIGHT = 37, 29


def deep(x, y, bits):
    """Smooth, with an edge and a few bits of noise."""
    most = 2**bits - 1
    noise = (x * 7919 + y * 104729) % 97 / 97
    level = 0.45 + 0.4 * math.sin(x / 5 + y / 9) + 0.1 * noise
    return min(most, max(0, int(level * most)) ^ (1 if x > y else 0))


def color(width=WIDTH, height=HEIGHT):
    chance = random.Random(5)
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            edge = 90 if (x // 9 + y // 7) % 2 else 0
            image.putpixel((x, y), tuple(
                min(255, max(0, int(
                    90 + 80 * math.sin(x / (3 + c) + y / (7 - c)) + edge
                    + chance.uniform(-20, 20)
                )))
                for c in range(3)
            ))
    return image


def grey(bits):
    """Mode I;16 has 16 bits, of which so many are used."""
    image = Image.new("I;16", (WIDTH, HEIGHT))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            image.putpixel((x, y), deep(x, y, bits))
    return image


def floats():
    image = Image.new("F", (WIDTH, HEIGHT))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            image.putpixel((x, y), math.sin(x / 4) * 3.5 + y / 7)
    return image


KINDS = {
    # mode: channels, bits, kind
    "L": (1, 8, "unsigned"),
    "RGB": (3, 8, "unsigned"),
    "I;16": (1, 16, "unsigned"),
    "I;16B": (1, 16, "unsigned"),
    "I": (1, 32, "signed"),
    "F": (1, 32, "float"),
}


TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_270,
    8: Image.Transpose.ROTATE_90,
}


def little(image):
    """Samples as Pillow has them, low bytes first."""
    if image.mode == "I;16B":
        data = image.tobytes()
        return bytes(b for i in range(0, len(data), 2) for b in (data[i + 1], data[i]))
    return image.tobytes()


def add(path, image, **facts):
    """A file, and the samples that it has to give."""
    if image.mode not in KINDS:
        image = image.convert("L" if image.mode == "1" else "RGB")
    channels, bits, kind = KINDS[image.mode]
    CASES.append({
        "file": path.name,
        "width": image.width,
        "height": image.height,
        "channels": channels,
        "bits": bits,
        "kind": kind,
        "sha256": hashlib.sha256(little(image)).hexdigest(),
        **facts,
    })


def read(path):
    image = Image.open(path)
    image.load()
    return image


def stored(name, image, **options):
    path = FOLDER / name
    image.save(path, **options)
    return path


def run(*command):
    subprocess.run([str(word) for word in command], check=True)


def same(name, path, expected):
    """A file that Pillow reads as the image that it was made from."""
    found = read(path)
    if found.mode in ("I;16B", "I;16") and little(found) == little(expected):
        return
    if found.convert(expected.mode).tobytes() != expected.tobytes():
        sys.exit(f"{name}: Pillow reads {found.mode}, other than was written")


def write_tiff():
    rgb, eight = color(), color().convert("L")
    twelve, sixteen, real = grey(12), grey(16), floats()
    plain = {}
    for word, image in {
        "rgb": rgb, "grey": eight, "grey12": twelve, "grey16": sixteen, "float": real,
    }.items():
        for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
            name = f"pil_{word}_{compression.replace('tiff_', '')}.tif"
            path = stored(name, image, compression=compression)
            add(path, read(path))
            same(name, path, image)
            plain.setdefault(word, path)
    others = {
        "bilevel": eight.convert("1"),
        "palette": rgb.quantize(16),
        "cmyk": rgb.convert("CMYK"),
        "rgba": Image.merge("RGBA", [*rgb.split(), eight]),
        "grey_alpha": Image.merge("LA", [eight, eight]),
        "int32": real.convert("I"),
    }
    for word, image in others.items():
        path = stored(f"pil_{word}.tif", image, compression="tiff_lzw")
        found = read(path)
        add(path, image.getchannel(0) if word == "grey_alpha" else found)
    pages = stored(
        "pil_pages.tif", eight, save_all=True, append_images=[eight.rotate(180)] * 2
    )
    add(pages, read(pages), pages=3)

    tiffcp = {
        "rgb_tiles_lzw": ("rgb", "-t -w 16 -l 16 -c lzw:2"),
        "rgb_strips_zip": ("rgb", "-s -r 3 -c zip:2"),
        "rgb_planar_lzw": ("rgb", "-p separate -c lzw -r 5"),
        "rgb_planar_tiles": ("rgb", "-p separate -t -w 32 -l 16 -c zip"),
        "rgb_big_endian": ("rgb", "-B -c packbits"),
        "rgb_bigtiff": ("rgb", "-8 -c lzw"),
        "grey_reversed": ("grey", "-f lsb2msb -c lzw"),
        "grey_tiles": ("grey", "-t -w 16 -l 16 -c none"),
        "grey12_lzw_differences": ("grey12", "-c lzw:2 -r 4"),
        "grey16_zip_differences": ("grey16", "-B -c zip:2 -r 7"),
        "grey16_tiles": ("grey16", "-t -w 16 -l 32 -c zip:2"),
        "grey16_big_endian": ("grey16", "-B -c none"),
        "float_differences": ("float", "-c zip:3 -r 6"),
        "float_tiles": ("float", "-t -w 16 -l 16 -c lzw:3"),
    }
    for word, (source, options) in tiffcp.items():
        path = FOLDER / f"tiffcp_{word}.tif"
        run("tiffcp", *options.split(), plain[source], path)
        # What was copied is what was read; Pillow does not read all of them.
        add(path, read(plain[source]))
        try:
            same(path.name, path, read(plain[source]))
        except OSError as error:
            print(f"{path.name}: Pillow reads it not: {error}")
    for orientation in (2, 3, 6, 8):
        path = FOLDER / f"tiffset_orientation{orientation}.tif"
        shutil.copy(plain["rgb"], path)
        run("tiffset", "-s", "274", orientation, path)
        # Pillow 9.4 does not turn a TIFF itself.
        add(path, rgb.transpose(TURNS[orientation]), upright=True)

    source = WORK / "rgb.png"
    rgb.save(source)
    deep_source = WORK / "grey16.png"
    sixteen.save(deep_source)
    magick = {
        "rgb_lzw": (source, "-compress LZW"),
        "rgb_zip": (source, "-compress Zip"),
        "rgb_packbits": (source, "-compress RLE -endian MSB"),
        "rgb_tiles": (source, "-define tiff:tile-geometry=16x16 -compress None"),
        "rgb16": (source, "-modulate 100,80 -depth 16 -compress LZW"),
        "rgb16_big_endian": (source, "-depth 16 -endian MSB -compress None"),
        "grey16": (deep_source, "-depth 16 -compress Zip"),
        "grey16_big_endian": (deep_source, "-depth 16 -endian MSB -compress LZW"),
        "white_is_zero": (source, "-colorspace Gray -depth 8 -define quantum:polarity=min-is-white -compress None"),
        "alpha": (source, "-alpha set -channel A -evaluate set 60% -compress LZW"),
        "associated": (source, "-alpha set -channel A -evaluate set 60% +channel -define tiff:alpha=associated -compress LZW"),
        "palette": (source, "-colors 8 -type Palette -compress LZW"),
        "float": (deep_source, "-depth 32 -define quantum:format=floating-point -compress Zip"),
    }
    for word, (image, options) in magick.items():
        path = FOLDER / f"magick_{word}.tif"
        run("/usr/bin/convert", image, *options.split(), path)
        try:
            found = read(path)
        except OSError as error:
            print(f"{path.name}: Pillow reads it not: {error}")
            path.unlink()
            continue
        print(path.name, found.mode, found.info.get("compression"))
        add(path, found)

    for bits in (10, 12):
        # As machine vision cameras pack them; Pillow 9.4 does not read it.
        path = FOLDER / f"packed{bits}.tif"
        values = [[deep(x, y, bits) for x in range(WIDTH)] for y in range(HEIGHT)]
        rows = b""
        for row in values:
            text = "".join(format(value, f"0{bits}b") for value in row)
            text += "0" * (-len(text) % 8)
            rows += int(text, 2).to_bytes(len(text) // 8, "big")
        path.write_bytes(packed(bits, rows))
        image = Image.new("I;16", (WIDTH, HEIGHT))
        for y in range(HEIGHT):
            for x in range(WIDTH):
                image.putpixel((x, y), values[y][x])
        add(path, image)
        CASES[-1]["bits"] = bits


def packed(bits, rows):
    entries = [
        (256, 4, WIDTH), (257, 4, HEIGHT), (258, 3, bits), (259, 3, 1),
        (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 4, HEIGHT),
        (279, 4, len(rows)),
    ]
    data = struct.pack("<2sHI", b"II", 42, 8 + len(rows)) + rows
    data += struct.pack("<H", len(entries))
    for tag, kind, value in entries:
        data += struct.pack("<HHII", tag, kind, 1, value)
    return data + struct.pack("<I", 0)


def write_png():
    sixteen, twelve = grey(16), grey(12)
    add(stored("pil_grey16.png", sixteen), sixteen)
    add(stored("pil_grey12.png", twelve), twelve)
    source = FOLDER / "pil_grey16.png"
    path = FOLDER / "magick_interlaced16.png"
    run(
        "/usr/bin/convert", source, "-strip", "-interlace", "PNG",
        "-define", "png:exclude-chunk=date,time", path,
    )
    add(path, sixteen)
    rgb = color()
    for orientation in (2, 6, 8):
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = stored(f"pil_orientation{orientation}.png", rgb, exif=exif)
        add(path, ImageOps.exif_transpose(read(path)), upright=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    path = stored("pil_orientation6_grey16.png", sixteen, exif=exif)
    add(path, sixteen.transpose(TURNS[6]), upright=True)


def write_jpeg():
    rgb, eight = color(61, 43), color(61, 43).convert("L")
    sampling = {"444": 0, "422": 1, "420": 2}
    qualities = (30, 50, 75, 90, 95, 100)
    for i, quality in enumerate(qualities):
        for word, subsampling in sampling.items():
            progressive = (i + subsampling) % 2 == 1
            kind = "progressive" if progressive else "baseline"
            path = stored(
                f"pil_{kind}_{word}_{quality}.jpg", rgb, quality=quality,
                subsampling=subsampling, progressive=progressive,
            )
            add(path, read(path))
    for quality in (30, 75, 100):
        path = stored(f"pil_grey_{quality}.jpg", eight, quality=quality)
        add(path, read(path))
    source = WORK / "source.ppm"
    rgb.save(source)
    cjpeg = {
        "restart": "-quality 80 -sample 2x2 -restart 1",
        "restart_blocks": "-quality 60 -sample 1x1 -restart 3B",
        "progressive_restart": "-quality 85 -progressive -restart 2",
        "411": "-quality 85 -sample 4x1",
        "rgb": "-quality 85 -rgb -sample 1x1",
        "optimised": "-quality 40 -optimize -sample 2x1",
    }
    for word, options in cjpeg.items():
        path = FOLDER / f"cjpeg_{word}.jpg"
        run("cjpeg", *options.split(), "-outfile", path, source)
        add(path, read(path))
    path = stored("pil_cmyk.jpg", rgb.convert("CMYK"), quality=85)
    add(path, read(path), rgb=read(path).convert("RGB").tobytes().hex())
    path = FOLDER / "cjpeg_440.jpg"
    run("cjpeg", "-quality", "85", "-sample", "1x2", "-outfile", path, source)
    add(path, read(path), rgb=read(path).tobytes().hex())
    for orientation in (3, 6):
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = stored(f"pil_orientation{orientation}.jpg", rgb, quality=88, exif=exif)
        add(path, ImageOps.exif_transpose(read(path)), upright=True)


def write_avif():
    """Pillow 9.4 reads none: what counts is the size."""
    source = WORK / "avif.png"
    color(64, 48).save(source)
    path = FOLDER / "avifenc.avif"
    run("avifenc", "--min", "20", "--max", "20", source, path)


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    write_tiff()
    write_png()
    write_jpeg()
    write_avif()
    text = json.dumps(CASES, indent=2)
    (FOLDER / "cases.json").write_text(text + "\n")
    shutil.rmtree(WORK)


if __name__ == "__main__":
    main()
