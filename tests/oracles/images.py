"""Writes tests/golden/images: small files of every format that is read, and
the pixels Pillow reads from them.

Run with Pillow 9.4: python3 tests/oracles/images.py
"""

import io
import json
import pathlib
import struct
import zlib

from PIL import Image, ImageOps

WIDTH, HEIGHT = 24, 17
FOLDER = pathlib.Path(__file__).parent.parent / "golden" / "images"
CASES = []


def pixels():
    """An image without symmetry, so that a wrong turn shows."""
    image = Image.new("RGB", (WIDTH, HEIGHT))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            corner = x < 6 and y < 4
            red, green = x * 255 // (WIDTH - 1), y * 255 // (HEIGHT - 1)
            image.putpixel((x, y), (red, green, 200 if corner else 40))
    return image


def add(name, data, expected, tolerance=0):
    (FOLDER / name).write_bytes(data)
    image = expected.convert("RGB")
    CASES.append({
        "file": name,
        "width": image.width,
        "height": image.height,
        "rgb": image.tobytes().hex(),
        "tolerance": tolerance,
    })


def saved(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def read(data):
    return Image.open(io.BytesIO(data))


def png(depth, color, rows, extra=b"", interlaced=False):
    """A PNG of packed rows; Pillow does not write these kinds itself."""

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    header = struct.pack(
        ">IIBBBBB", WIDTH, HEIGHT, depth, color, 0, 0, int(interlaced)
    )
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", data)
        + chunk(b"IEND", b"")
    ), chunk


def grey_rows(depth, level):
    """Rows of `level(x, y)`, `depth` bits a pixel, high bits first."""
    for y in range(HEIGHT):
        bits = "".join(format(level(x, y), f"0{depth}b") for x in range(WIDTH))
        bits += "0" * (-len(bits) % 8)
        yield int(bits, 2).to_bytes(len(bits) // 8, "big")


def adam7(image):
    """Rows of the seven passes of an interlaced RGB image."""
    for x0, y0, dx, dy in [
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
        (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
    ]:
        for y in range(y0, HEIGHT, dy):
            yield b"".join(
                bytes(image.getpixel((x, y))) for x in range(x0, WIDTH, dx)
            )


def write_png(rgb, alpha):
    grey = rgb.convert("L")
    add("rgb.png", saved(rgb, "PNG"), rgb)
    add("grey.png", saved(grey, "PNG"), grey)
    add("rgba.png", saved(alpha, "PNG"), rgb)
    grey_alpha = Image.merge("LA", [grey, alpha.getchannel("A")])
    add("grey_alpha.png", saved(grey_alpha, "PNG"), grey)
    palette = rgb.quantize(16)
    add("palette.png", saved(palette, "PNG"), palette)
    add("palette_trns.png", saved(palette, "PNG", transparency=b"\0\x80\xff"), palette)
    add("bilevel.png", saved(grey.convert("1"), "PNG"), grey.convert("1"))

    for depth in (2, 4):
        most = 2**depth - 1

        def level(x, y):
            return (x + 3 * y) % (most + 1)

        data, _ = png(depth, 0, grey_rows(depth, level))
        expected = Image.new("L", (WIDTH, HEIGHT))
        expected.putdata([
            level(x, y) * 255 // most for y in range(HEIGHT) for x in range(WIDTH)
        ])
        add(f"grey{depth}.png", data, expected)

    def deep(x, y):
        return (x * 2711 + y * 977) % 65536

    data, chunk = png(16, 0, grey_rows(16, deep))
    high_byte = Image.new("L", (WIDTH, HEIGHT))
    high_byte.putdata([
        deep(x, y) >> 8 for y in range(HEIGHT) for x in range(WIDTH)
    ])
    add("grey16.png", data, high_byte)
    rows = [
        b"".join(
            struct.pack(">HHH", deep(x, y), deep(y, x), 65535 - deep(x, y))
            for x in range(WIDTH)
        )
        for y in range(HEIGHT)
    ]
    data, _ = png(16, 2, rows)
    add("rgb16.png", data, read(data))

    rows = [rgb.crop((0, y, WIDTH, y + 1)).tobytes() for y in range(HEIGHT)]
    transparent = chunk(b"tRNS", struct.pack(">HHH", *rgb.getpixel((9, 9))))
    add("rgb_trns.png", png(8, 2, rows, transparent)[0], rgb)
    add("interlaced.png", png(8, 2, adam7(rgb), interlaced=True)[0], rgb)


def write_jpeg(rgb):
    kinds = {
        "444": (rgb, {"subsampling": 0}),
        "420": (rgb, {"subsampling": 2}),
        "progressive": (rgb, {"progressive": True}),
        "grey": (rgb.convert("L"), {}),
        "cmyk": (rgb.convert("CMYK"), {}),
    }
    for name, (image, options) in kinds.items():
        data = saved(image, "JPEG", quality=90, **options)
        add(f"{name}.jpg", data, read(data), 3 if name == "cmyk" else 0)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = saved(rgb, "JPEG", quality=90, subsampling=0, exif=exif)
        upright = ImageOps.exif_transpose(read(data))
        add(f"orientation{orientation}.jpg", data, upright)


def write_others(rgb, alpha):
    add("rgb.bmp", saved(rgb, "BMP"), rgb)
    add("grey.bmp", saved(rgb.convert("L"), "BMP"), rgb.convert("L"))
    palette = rgb.quantize(16)
    add("palette.bmp", saved(palette, "BMP"), palette)
    add("rgba.bmp", saved(alpha, "BMP"), rgb)
    add("lossless.webp", saved(rgb, "WEBP", lossless=True), rgb)
    exact = saved(alpha, "WEBP", lossless=True, exact=True)
    add("alpha.webp", exact, rgb)
    lossy = saved(rgb, "WEBP", quality=90)
    add("lossy.webp", lossy, read(lossy), 8)
    add("palette.gif", saved(palette, "GIF"), palette)
    frames = [rgb.rotate(180).quantize(16)]
    animated = saved(palette, "GIF", save_all=True, append_images=frames)
    add("animated.gif", animated, palette)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    rgb = pixels()
    alpha = rgb.copy()
    opacity = [(x * 11 + y * 5) % 256 for y in range(HEIGHT) for x in range(WIDTH)]
    channel = Image.new("L", rgb.size)
    channel.putdata(opacity)
    alpha.putalpha(channel)
    write_png(rgb, alpha)
    write_jpeg(rgb)
    write_others(rgb, alpha)
    text = json.dumps(CASES, indent=2)
    (FOLDER / "cases.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
