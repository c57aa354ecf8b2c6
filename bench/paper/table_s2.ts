/** Table S2: pixel AUROC of every class of MVTec AD. */
import { TABLE_S2 } from "./published_classes.ts";
import { compareClasses, THREE_BANKS } from "./runs.ts";

await compareClasses(
  "Table S2: pixel AUROC, MVTec AD",
  "pixel_auroc",
  THREE_BANKS,
  TABLE_S2,
);
