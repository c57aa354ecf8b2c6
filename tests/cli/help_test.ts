import { assertEquals } from "@std/assert";
import { commandHelp, programAt, programHelp } from "../../src/cli/help.ts";
import { SYNTAX } from "./example_syntax.ts";

const EXIT_CODES = `Exit codes:
  0    all went well
  1    something failed
  2    the command line cannot be understood
  3    anomalous or uncertain images were found and --fail-on-anomaly was given
  130  interrupted by Ctrl-C
`;

Deno.test("commandHelp() shows options with ranges, units and defaults", () => {
  assertEquals(
    commandHelp(SYNTAX),
    `Usage: deno run -A mod.ts fit IMAGES… --model FILE [OPTIONS]

Learn what is normal.

Arguments:
  IMAGES                    image files or folders

Options:
  --model FILE              model file to write (required)
  --preset paper|reference|anomalib
                            which published variant to follow (default: paper)
  --layers LAYER,…          taps of the backbone (default: the preset's)
  --maps KIND,…             file types of the anomaly maps (of npy, png, tiff)
  --coreset RATIO           share of the patches that is kept (a number above 0
                            and at most 1; default: 0.1)
  --crop N, --no-crop       sides of the centre crop (an integer of at least 1,
                            in pixels; default: the preset's)
  --max-bank N|none         most rows of the memory bank (an integer of at least
                            1, or none; default: 100)
  -f, --fail-on-anomaly     exit with 3 when an anomaly is found
  -h, --help                print this text

Examples:
  # Learn from a folder
  deno run -A mod.ts fit parts/good --model parts.safetensors
  # Keep 1 % of the patches
  deno run -A mod.ts fit a.png b.png --model m --coreset 0.01
  # Learn a dataset's category
  deno run -A mod.ts fit bottle --model m --preset reference

${EXIT_CODES}`,
  );
});

Deno.test("programHelp() lists the commands", () => {
  assertEquals(
    programHelp([SYNTAX], "1.2.3"),
    `Usage: deno run -A mod.ts COMMAND [ARGUMENTS] [OPTIONS]

PatchCore 1.2.3: learns from images of good parts, finds what is different.

Commands:
  fit                       Learn what is normal

COMMAND --help explains a command, --version prints the version.

${EXIT_CODES}`,
  );
});

Deno.test.each([
  ["file:///home/me/src/cli/help.ts", "deno run -A mod.ts"],
  [
    "https://jsr.io/@patchcore/webgpu/0.1.0/src/cli/help.ts",
    "deno run -A jsr:@patchcore/webgpu",
  ],
  [
    "http://10.0.0.1/patchcore/src/cli/help.ts",
    "deno run -A http://10.0.0.1/patchcore/mod.ts",
  ],
])("programAt(%s) is %s", (address, program) => {
  assertEquals(programAt(address), program);
});
