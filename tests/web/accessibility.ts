/**
 * What a page must allow everybody: read it, and use it by keyboard.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import axe from "axe-core";
import type { Page } from "playwright-core";

const SCHEMES = ["light", "dark"] as const;
const WIDTHS = [[1280, 900], [390, 844]] as const;

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

/**
 * Fails on any violation of WCAG 2.2 A and AA that axe-core finds, contrast of
 * text among them, in light and dark, and on a page that is wider than a phone.
 */
export async function checkAccessibility(page: Page): Promise<void> {
  const size = page.viewportSize()!;
  for (const [width, height] of WIDTHS) {
    await page.setViewportSize({ width, height });
    assertEquals(
      await page.evaluate("document.documentElement.scrollWidth"),
      width,
    );
  }
  await page.setViewportSize(size);
  await page.evaluate(axe.source);
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme });
    const violations = await page.evaluate(`
      axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] })
        .then(({ violations }) => violations.map(({ id, nodes }) =>
          ({ id, nodes: nodes.map(({ html }) => ({ html })) })))
    `) as Violation[];
    assertEquals(violations, [], `in ${colorScheme}`);
  }
}

/**
 * Goes through the page with the tabulator key: every stop can be seen, and
 * every button and input that is enabled is a stop.
 */
export async function checkKeyboard(page: Page): Promise<void> {
  await page.focus(".skip");
  const stops = new Set<string>();
  for (let i = 0; i < 200; i++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(`(() => {
      const at = document.activeElement;
      if (at === null || at === document.body) return null;
      const seen = at.closest(".button") ?? at;
      const { outlineStyle, outlineWidth } = getComputedStyle(seen);
      const name = at.id || at.title || at.textContent.trim();
      return { name, visible: outlineStyle !== "none" && outlineWidth !== "0px" };
    })()`) as { name: string; visible: boolean } | null;
    if (stop === null || stops.has(stop.name)) break;
    assert(stop.visible, `The focus on "${stop.name}" cannot be seen`);
    stops.add(stop.name);
  }
  const controls = await page.evaluate(`
    [...document.querySelectorAll("button:enabled, input:enabled, select:enabled, summary")]
      .filter((control) => control.checkVisibility({ opacityProperty: false }))
      .map((control) => control.id || control.title || control.textContent.trim())
  `) as string[];
  assertEquals(controls.filter((name) => !stops.has(name)), []);
}

/** Writes pictures of a page where `PATCHCORE_SHOTS` names a folder. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = Deno.env.get("PATCHCORE_SHOTS");
  if (folder === undefined) return;
  for (const [width, height] of WIDTHS) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({
        path: `${folder}/${name}-${width}-${colorScheme}.png`,
        fullPage: true,
      });
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 900 });
}
