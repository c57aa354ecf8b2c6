/** Table S1: image AUROC of every class of MVTec AD. */
import { TABLE_S1 } from "./published_classes.ts";
import { compareClasses, THREE_BANKS } from "./runs.ts";

await compareClasses(
  "Table S1: image AUROC, MVTec AD",
  "image_auroc",
  THREE_BANKS,
  TABLE_S1,
);
