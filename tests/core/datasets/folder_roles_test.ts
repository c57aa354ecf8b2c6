import { assertEquals } from "@std/assert";
import { folderRole } from "../../../src/core/datasets/folder_roles.ts";

const ROLES = {
  normal: "good Good OK ok_front Normal defect_free no-defects Pass not_ng",
  abnormal: "NG bad defect Defective anomaly def_front not_ok no_good ok_ng KO",
  masks: "ground_truth Ground-Truth MASKS mask gt",
  test: "test Testing",
  train: "TRAIN training",
  validation: "val Validation",
  undefined: "bottle scratch token goods trainer nothing ngram badge",
};

for (const [role, names] of Object.entries(ROLES)) {
  Deno.test(`folderRole() takes names for ${role} whatever their case`, () => {
    for (const name of names.split(" ")) {
      assertEquals(`${folderRole(name)}`, role, name);
    }
  });
}
