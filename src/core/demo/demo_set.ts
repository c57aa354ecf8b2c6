/**
 * The demo's inspection set: pictures of parts that are drawn on the spot, with
 * known defects. Nothing here is a photograph, and what a detector reaches on
 * it says nothing of real parts.
 *
 * @module
 */
import type { Pixels } from "../images/pixels.ts";
import type { GreyImage } from "../images/png.ts";
import { Mt19937 } from "../settings/random.ts";
import { differenceMask, expose } from "./camera.ts";
import { CIRCUIT } from "./circuit.ts";
import { FABRIC } from "./fabric.ts";
import { FLANGE } from "./flange.ts";
import type { Product } from "./product.ts";

/** How many images of each kind the set has. */
interface DemoSize {
  /** Good images to fit, of each product. */
  readonly train: number;
  /** Good images to test, of each product. */
  readonly good: number;
  /** Images of each kind of defect, of each product. */
  readonly defective: number;
}

/** How many pictures of the demo's parts, and which. */
export interface DemoOptions extends Partial<DemoSize> {
  /** An integer from 0 up; another seed gives other pictures of the same parts. */
  readonly seed?: number;
}

/** One picture of the demo's set. */
export interface DemoImage {
  /** Where it belongs in an MVTec-style folder: `flange/test/rust/000.png`. */
  readonly path: string;
  /** Whether it is fitted or tested. */
  readonly split: "train" | "test";
  /** The picture. */
  readonly pixels: Pixels;
  /** The defect: what it is, and where. */
  readonly defect?: {
    /** One of the product's kinds. */
    readonly kind: string;
    /** Where its mask belongs: `flange/ground_truth/rust/000_mask.png`. */
    readonly maskPath: string;
    /** 255 where the part looks different from a good one, else 0. */
    readonly mask: GreyImage;
  };
}

/** The products of the set. */
export const DEMO_PRODUCTS: readonly Product[] = [CIRCUIT, FABRIC, FLANGE];

/** How many images there are unless told otherwise. */
const DEMO_SIZE: DemoSize = { train: 24, good: 8, defective: 4 };

/**
 * Draws the pictures of a product, one after the other: those to fit, good ones
 * to test, then each kind of defect. The same options give the same pictures;
 * a picture does not depend on how many others there are.
 */
export function* demoSet(
  product: Product,
  options: DemoOptions = {},
): Generator<DemoImage> {
  const { seed = 0, ...counts } = options;
  const { train, good, defective } = { ...DEMO_SIZE, ...counts };
  const { name, defects } = product;
  const random = (kind: string, index: number): Mt19937 =>
    new Mt19937(hash(`${seed} ${name} ${kind} ${index}`));
  for (let i = 0; i < train + good; i++) {
    const split = i < train ? "train" : "test";
    const index = i < train ? i : i - train;
    const source = random(`${split} good`, index);
    const pixels = expose(product.draw(source), source);
    yield { path: `${name}/${split}/good/${number(index)}.png`, split, pixels };
  }
  for (const kind of defects) {
    for (let i = 0; i < defective; i++) {
      yield defectiveImage(product, kind, i, (part) => random(part, i));
    }
  }
}

function defectiveImage(
  product: Product,
  kind: string,
  index: number,
  random: (part: string) => Mt19937,
): DemoImage {
  const flawless = product.draw(random(kind));
  const source = random(kind);
  const defect = { kind, random: random(`${kind} defect`) };
  const flawed = product.draw(source, defect);
  const folder = `${kind}/${number(index)}`;
  return {
    path: `${product.name}/test/${folder}.png`,
    split: "test",
    pixels: expose(flawed, source),
    defect: {
      kind,
      maskPath: `${product.name}/ground_truth/${folder}_mask.png`,
      mask: differenceMask(flawed, flawless),
    },
  };
}

function number(index: number): string {
  return String(index).padStart(3, "0");
}

/** FNV-1a: a seed for a text. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) {
    value = Math.imul(value ^ character.codePointAt(0)!, 0x01000193);
  }
  return value >>> 0;
}
