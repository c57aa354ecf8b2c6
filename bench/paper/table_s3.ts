/** Table S3: PRO of every class of MVTec AD. */
import { TABLE_S3 } from "./published_classes.ts";
import { compareClasses, THREE_BANKS } from "./runs.ts";

await compareClasses(
  "Table S3: PRO, MVTec AD",
  "pro_per_image",
  THREE_BANKS,
  TABLE_S3,
);
