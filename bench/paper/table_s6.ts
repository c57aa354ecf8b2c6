/** Table S6: backbones, banks of 10 % and of 1 %. */
import { TABLE_S6 } from "./published.ts";
import { compareMeans } from "./runs.ts";

for (const [i, share] of [0.1, 0.01].entries()) {
  await compareMeans(
    `Table S6: backbones, ${100 * share} %, MVTec AD`,
    Object.entries(TABLE_S6).map(([name, papers]) => ({
      name,
      backbones: [name],
      args: `--coreset ${share}`,
      paper: papers[i]!,
    })),
  );
}
