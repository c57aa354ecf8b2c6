/** Table 2: pixel AUROC on MVTec AD. */
import { TABLES_1_TO_3 } from "./published.ts";
import { compareMethods } from "./runs.ts";

await compareMethods("Table 2: pixel AUROC, MVTec AD", 1, TABLES_1_TO_3);
