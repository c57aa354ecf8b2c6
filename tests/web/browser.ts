/**
 * A real browser for tests: headless Chromium with WebGPU on its CPU adapter.
 *
 * @module
 */
import { type Browser, chromium, type Page } from "playwright-core";

/** Where Chromium is; undefined where there is none. */
export const CHROMIUM: string | undefined = findChromium();

/** How a browser is started. */
export interface BrowserOptions {
  /** Whether it has WebGPU, true by default. */
  readonly webgpu?: boolean;
}

/** Flags that keep the browser off the network and make the runs alike. */
const FLAGS = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-fake-ui-for-media-stream",
  "--use-fake-device-for-media-stream",
];

/**
 * Registers a test that gets a browser of its own. Without Chromium it is
 * ignored and its name says so.
 */
export function browserTest(
  name: string,
  fn: (browser: Browser) => Promise<void>,
  options: BrowserOptions = {},
): void {
  const without = CHROMIUM === undefined;
  Deno.test({
    name: without
      ? `${name} (skipped: no Chromium, "sh scripts/setup.sh browser" gets it)`
      : name,
    ignore: without,
    sanitizeOps: false, // the browser's pipes outlive the test by a moment
    sanitizeResources: false,
    fn: async () => {
      const browser = await openBrowser(options);
      try {
        await fn(browser);
      } finally {
        await browser.close();
      }
    },
  });
}

/** Starts Chromium. */
export async function openBrowser(
  { webgpu = true }: BrowserOptions = {},
): Promise<Browser> {
  return await chromium.launch({
    executablePath: CHROMIUM!,
    args: [
      ...FLAGS,
      ...webgpu
        ? ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]
        : ["--disable-features=WebGPU"],
    ],
  });
}

/** What went wrong on a page: errors of scripts and lines of the console. */
export function problemsOf(page: Page): string[] {
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (line) => {
    if (line.type() === "error") problems.push(line.text());
  });
  return problems;
}

function findChromium(): string | undefined {
  const named = Deno.env.get("PATCHCORE_CHROMIUM");
  const places = named !== undefined ? [named] : [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
  ];
  return places.find((place) => {
    try {
      return Deno.statSync(place).isFile;
    } catch {
      return false;
    }
  });
}
