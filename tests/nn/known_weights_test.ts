import { assert, assertEquals } from "@std/assert";
import { ARCHITECTURES } from "../../src/nn/architectures/catalogue.ts";
import {
  currentTensorName,
  KNOWN_WEIGHTS,
  knownByDigest,
} from "../../src/nn/known_weights.ts";

Deno.test("KNOWN_WEIGHTS names files by the digits of their SHA-256", () => {
  assertEquals(KNOWN_WEIGHTS.size, 34);
  for (const [key, known] of KNOWN_WEIGHTS) {
    const { name, file, sha256, url, timmUrl, title } = known;
    assertEquals(name, key);
    assert(/^([0-9a-f]{8}|[0-9a-f]{64})?$/.test(sha256));
    assert(timmUrl === undefined || URL.canParse(timmUrl));
    assert(url === undefined || url.endsWith(`/${file}`), url);
    // Only 8 digits are known where the file's name has them.
    if (sha256.length === 8) assert(file.endsWith(`-${sha256}.pth`), file);
    assertEquals(ARCHITECTURES.includes(name), true, name);
    if (!title.startsWith("torchvision")) continue;
    assertEquals(url, `https://download.pytorch.org/models/${file}`);
    assertEquals(file, `${name}-${sha256.slice(0, 8)}.pth`);
  }
});

Deno.test("KNOWN_WEIGHTS has terms and no public address of DINOv3's weights alone", () => {
  for (const { name, licence, url } of KNOWN_WEIGHTS.values()) {
    const isGated = name.startsWith("dinov3_");
    assertEquals(licence.terms.length > 0, isGated, name);
    assertEquals(url === undefined, isGated, name);
    assert(URL.canParse(licence.url));
  }
});

Deno.test("KNOWN_WEIGHTS has the digits that torchvision's source has", () => {
  // torchvision 0.14.1, IMAGENET1K_V1 of each network.
  const files = KNOWN_WEIGHTS.values()
    .filter(({ title }) => title.startsWith("torchvision"))
    .map(({ file }) => file).toArray();
  assertEquals(files, [
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
    "vit_b_16-c867db91.pth",
    "vit_l_16-852ce7e3.pth",
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
      ["resnet", "densenet", "vision_transformer"].map((name) =>
        Deno.readTextFile(`${TORCHVISION}/${name}.py`)
      ),
    );
    const first = texts.join().matchAll(
      /IMAGENET1K_V1 = Weights\(\s*url="([^"]+)"/g,
    ).map(([, url]) => url).toArray();
    for (const { name, url, title } of KNOWN_WEIGHTS.values()) {
      if (!title.startsWith("torchvision")) continue;
      assert(first.includes(url!), `${name}: ${url}`);
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
