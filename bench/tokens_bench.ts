/** Making `tokens` of patches, as ViT-S/14 and B/14 begin. */
import { tokens as kernel } from "../src/wgsl/tokens.ts";
import { kernelBench } from "./harness.ts";

for (
  const [tokens, channels] of [[257, 384], [1025, 384], [1370, 768]] as const
) {
  const elements = tokens * channels;
  kernelBench(
    { group: `${tokens} × ${channels}` },
    kernel,
    { images: 1, tokens, prefix: 1, channels },
    { x: elements - channels, offset: elements },
    elements,
  );
}
