/** Table 1: image AUROC on MVTec AD and misclassified images. */
import { MISCLASSIFIED, TABLES_1_TO_3 } from "./published.ts";
import { compareMethods } from "./runs.ts";

await compareMethods(
  "Table 1: image AUROC, MVTec AD",
  0,
  TABLES_1_TO_3,
  MISCLASSIFIED,
);
