/** Table 3: PRO on MVTec AD, per image as the published code has it. */
import { TABLES_1_TO_3 } from "./published.ts";
import { compareMethods } from "./runs.ts";

await compareMethods("Table 3: PRO, MVTec AD", 2, TABLES_1_TO_3);
