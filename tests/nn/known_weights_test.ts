import { assert, assertEquals } from "@std/assert";
import {
  currentTensorName,
  KNOWN_WEIGHTS,
  knownByDigest,
} from "../../src/nn/known_weights.ts";

Deno.test("KNOWN_WEIGHTS names files by the digits of their SHA-256", () => {
  assertEquals(KNOWN_WEIGHTS.size, 10);
  for (const [key, { name, file, sha256, url, timmUrl }] of KNOWN_WEIGHTS) {
    assertEquals(name, key);
    assert(/^([0-9a-f]{8}|[0-9a-f]{64})$/.test(sha256));
    assertEquals(url, `https://download.pytorch.org/models/${file}`);
    assertEquals(file, `${name}-${sha256.slice(0, 8)}.pth`);
    assert(URL.canParse(timmUrl));
  }
});

Deno.test("KNOWN_WEIGHTS has the digits that torchvision's source has", () => {
  // torchvision 0.14.1, IMAGENET1K_V1 of each network.
  assertEquals([...KNOWN_WEIGHTS.values()].map(({ file }) => file), [
    "resnet18-f37072fd.pth",
    "resnet34-b627a593.pth",
    "resnet50-0676ba61.pth",
    "resnet101-63fe2227.pth",
    "wide_resnet50_2-95faca4d.pth",
    "wide_resnet101_2-32ee1156.pth",
    "resnext50_32x4d-7cdf4587.pth",
    "resnext101_32x8d-8ba56ff5.pth",
    "densenet121-a639ec97.pth",
    "densenet201-c1103571.pth",
  ]);
});

/** Where Debian's python3-torchvision has its source. */
const TORCHVISION = "/usr/lib/python3/dist-packages/torchvision/models";
const hasTorchvision = await Deno.stat(TORCHVISION).then(
  () => true,
  () => false,
);

Deno.test({
  name: hasTorchvision
    ? "KNOWN_WEIGHTS are what the torchvision on this machine downloads"
    : "KNOWN_WEIGHTS are what torchvision downloads (skipped: no python3-torchvision)",
  ignore: !hasTorchvision,
  fn: async () => {
    const texts = await Promise.all(
      ["resnet", "densenet"].map((name) =>
        Deno.readTextFile(`${TORCHVISION}/${name}.py`)
      ),
    );
    const first = texts.join().matchAll(
      /IMAGENET1K_V1 = Weights\(\s*url="([^"]+)"/g,
    ).map(([, url]) => url).toArray();
    for (const { name, url } of KNOWN_WEIGHTS.values()) {
      assert(first.includes(url), `${name}: ${url}`);
    }
  },
});

Deno.test("knownByDigest() knows a file by its SHA-256", () => {
  const digest = `95faca4d${"0".repeat(56)}`;
  assertEquals(knownByDigest(digest)?.name, "wide_resnet50_2");
  assertEquals(knownByDigest("0".repeat(64)), undefined);
  const { sha256 } = KNOWN_WEIGHTS.get("resnet18")!;
  assertEquals(knownByDigest(sha256)?.name, "resnet18");
  // The same 8 digits, which the file's name has too.
  const other = `${sha256.slice(0, 63)}d`;
  assertEquals(knownByDigest(other), undefined);
});

Deno.test("currentTensorName() renames DenseNet's old tensors only", () => {
  const prefix = "features.denseblock4.denselayer16";
  for (
    const [old, now] of [
      [`${prefix}.norm.1.weight`, `${prefix}.norm1.weight`],
      [`${prefix}.norm.2.running_var`, `${prefix}.norm2.running_var`],
      [`${prefix}.conv.2.weight`, `${prefix}.conv2.weight`],
      [`${prefix}.norm1.weight`, `${prefix}.norm1.weight`],
      ["features.transition1.norm.weight", "features.transition1.norm.weight"],
      ["layer1.0.conv1.weight", "layer1.0.conv1.weight"],
    ]
  ) assertEquals(currentTensorName(old), now);
});
