import { assert, assertEquals } from "@std/assert";
import {
  Arrivals,
  fileVersion,
  isImagePath,
} from "../../../src/cli/watch/arrivals.ts";

interface Setup {
  readonly folder: string;
  readonly arrivals: Arrivals;
  readonly troubles: string[];
  /** Lets time pass. */
  readonly pass: (ms: number) => void;
  /** Names that a look finds complete. */
  readonly look: () => Promise<string[]>;
}

async function setup(work: (setup: Setup) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  let now = 0;
  const troubles: string[] = [];
  const arrivals = new Arrivals(folder, {
    settle: 500,
    isDone: ({ path }) => path.endsWith("done.png"),
    onTrouble: (sentence) => troubles.push(sentence),
    clock: () => now,
  });
  try {
    await work({
      folder,
      arrivals,
      troubles,
      pass: (ms) => now += ms,
      look: async () =>
        (await arrivals.look()).map(({ path }) =>
          path.slice(folder.length + 1)
        ),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("Arrivals tells of a file once it stays the same", () =>
  setup(async ({ folder, pass, look }) => {
    await Deno.writeTextFile(`${folder}/a.png`, "1");
    await Deno.writeTextFile(`${folder}/done.png`, "1");
    await Deno.writeTextFile(`${folder}/.hidden.png`, "1");
    await Deno.writeTextFile(`${folder}/note.txt`, "1");
    assertEquals(await look(), []);
    pass(499);
    assertEquals(await look(), []);
    // It grows: waiting begins anew.
    await Deno.writeTextFile(`${folder}/a.png`, "12");
    pass(1);
    assertEquals(await look(), []);
    pass(499);
    assertEquals(await look(), []);
    pass(1);
    assertEquals(await look(), ["a.png"]);
    pass(5000);
    assertEquals(await look(), []);
  }));

Deno.test("Arrivals takes a name with new content as a new image", () =>
  setup(async ({ folder, pass, look }) => {
    const path = `${folder}/a.png`;
    const twice = async (): Promise<string[]> => {
      await look();
      pass(500);
      return await look();
    };
    await Deno.writeTextFile(path, "1");
    assertEquals(await twice(), ["a.png"]);
    await Deno.writeTextFile(path, "12");
    assertEquals(await twice(), ["a.png"]);
    // Of the same size and time, but another file.
    const { modified } = (await fileVersion(path))!;
    await Deno.writeTextFile(`${folder}/.b`, "34");
    await Deno.utime(`${folder}/.b`, modified / 1000, modified / 1000);
    await Deno.rename(`${folder}/.b`, path);
    assertEquals((await fileVersion(path))!.modified, modified);
    assertEquals(await twice(), ["a.png"]);
    await Deno.remove(path);
    assertEquals(await twice(), []);
  }));

Deno.test("Arrivals does not let a renamed file wait, and looks again", () =>
  setup(async ({ folder, arrivals, pass, look }) => {
    await Deno.mkdir(`${folder}/x/y`, { recursive: true });
    const path = `${folder}/x/y/a.jpg`;
    await Deno.writeTextFile(path, "1");
    arrivals.renamed(path);
    assertEquals((await arrivals.lookAt([path])).length, 1);
    assertEquals(await look(), []);
    arrivals.again(path);
    assertEquals(await look(), []);
    pass(500);
    assertEquals(await look(), ["x/y/a.jpg"]);
  }));

Deno.test("Arrivals takes the oldest first", () =>
  setup(async ({ folder, pass, look }) => {
    for (const [name, time] of [["b", 3], ["c", 1], ["a", 2]] as const) {
      await Deno.writeTextFile(`${folder}/${name}.png`, "1");
      await Deno.utime(`${folder}/${name}.png`, time, time);
    }
    await look();
    pass(500);
    assertEquals(await look(), ["c.png", "a.png", "b.png"]);
  }));

Deno.test("Arrivals forgets nothing while a folder cannot be read", () =>
  setup(async ({ folder, troubles, pass, look }) => {
    await Deno.writeTextFile(`${folder}/a.png`, "1");
    await look();
    pass(500);
    assertEquals(await look(), ["a.png"]);
    await Deno.rename(folder, `${folder}.away`);
    assertEquals([await look(), await look()], [[], []]);
    await Deno.rename(`${folder}.away`, folder);
    pass(5000);
    assertEquals(await look(), []);
    assertEquals(troubles.length, 1);
    assert(troubles[0]!.startsWith(`Cannot look into "${folder}"`));
  }));

Deno.test("isImagePath() leaves out hidden files and others", () => {
  assert(isImagePath("/in", "/in/x/a.PNG"));
  assert(!isImagePath("/in", "/in/.tmp/a.png"));
  assert(!isImagePath("/in", "/in/.a.png"));
  assert(!isImagePath("/in", "/in/a.png.part"));
});
