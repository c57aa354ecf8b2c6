import { assertEquals, assertRejects } from "@std/assert";
import {
  detectLayout,
  readDataset,
} from "../../../src/core/datasets/read_dataset.ts";
import { MemoryFiles, paths } from "./memory_files.ts";

const SPLIT = [
  "object,split,label,image,mask",
  "pcb1,train,normal,pcb1/Data/Images/Normal/0000.JPG,",
  "candle,test,normal,candle/Data/Images/Normal/0002.JPG,",
  "candle,train,normal,candle/Data/Images/Normal/0001.JPG,",
  "candle,train,normal,candle/Data/Images/Normal/0000.JPG,",
  "candle,test,anomaly,candle/Data/Images/Anomaly/000.JPG,candle/Data/Masks/Anomaly/000.png",
  "",
].join("\r\n");

Deno.test("readDataset() reads VisA by its split, masks of defect numbers", async () => {
  const files = new MemoryFiles(
    ["/v/split_csv/1cls.csv", SPLIT],
    "/v/candle/Data/Images/Normal/0000.JPG",
  );
  assertEquals(await detectLayout(files, "/v"), "visa");
  const [candle, pcb1] = await readDataset(files, "/v");
  assertEquals([candle!.name, pcb1!.name], ["candle", "pcb1"]);
  assertEquals(paths(candle!.train), [
    "/v/candle/Data/Images/Normal/0000.JPG",
    "/v/candle/Data/Images/Normal/0001.JPG",
  ]);
  assertEquals(candle!.test, [
    {
      path: "/v/candle/Data/Images/Anomaly/000.JPG",
      label: "anomalous",
      mask: { path: "/v/candle/Data/Masks/Anomaly/000.png", nonZero: true },
    },
    { path: "/v/candle/Data/Images/Normal/0002.JPG", label: "normal" },
  ]);
});

Deno.test("readDataset() says which line of VisA's split it cannot read", async () => {
  const cases = [
    [SPLIT.replace("label", "kind"), "looked for the columns object, split"],
    [SPLIT.replace(",train,", ",val,"), "line 2 must name"],
    [SPLIT.replace("anomaly", "odd"), "line 6 must name"],
    [SPLIT.replace("0002.JPG,", "0002.JPG"), "line 3: it has"],
  ] as const;
  for (const [text, message] of cases) {
    const files = new MemoryFiles(["/v/split_csv/1cls.csv", text]);
    await assertRejects(() => readDataset(files, "/v"), Error, message);
  }
});
