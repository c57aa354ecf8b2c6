/** Fig. S4: larger images, with a bank of 1 %; plots without numbers. */
import { compareMeans } from "./runs.ts";

await compareMeans(
  "Fig. S4: sides of the image, MVTec AD",
  [224, 280, 288, 320, 360, 448].map((crop) => ({
    name: `${crop}`,
    args: `--coreset 0.01 --resize ${Math.round(crop * 8 / 7)} --crop ${crop}`,
  })),
);
