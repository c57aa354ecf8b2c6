"""Writes tests/golden/resize: small images and what Pillow and torchvision's
centre crop make of them, to the byte.

Run with Pillow 9.4: python3 tests/oracles/resize.py
"""

import json
import pathlib
import random

from PIL import Image

FOLDER = pathlib.Path(__file__).parent.parent / "golden" / "resize"
# width, height, resize, crop
SIZES = [(90, 61, 32, 28), (47, 83, 24, 21), (13, 9, 32, 27), (32, 40, 32, 24)]


def short_side(image, size):
    width, height = image.size
    if width <= height:
        return image.resize((size, int(size * height / width)), Image.BILINEAR)
    return image.resize((int(size * width / height), size), Image.BILINEAR)


def center_crop(image, size):
    left = int(round((image.width - size) / 2.0))
    top = int(round((image.height - size) / 2.0))
    return image.crop((left, top, left + size, top + size))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    draw = random.Random(0)
    cases = []
    for i, (width, height, resize, crop) in enumerate(SIZES):
        image = Image.frombytes(
            "RGB", (width, height), draw.randbytes(width * height * 3)
        )
        image.save(FOLDER / f"{i}.png")
        result = center_crop(short_side(image, resize), crop)
        result.save(FOLDER / f"{i}.expected.png")
        cases.append({
            "input": f"{i}.png",
            "resize": resize,
            "crop": crop,
            "expected": f"{i}.expected.png",
        })
    (FOLDER / "cases.json").write_text(json.dumps(cases, indent=2) + "\n")


if __name__ == "__main__":
    main()
