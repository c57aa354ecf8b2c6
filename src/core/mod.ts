/**
 * The method: images → features → memory bank → scores → metrics → report.
 * Nothing here needs Deno; it runs in a browser as well.
 *
 * @module
 */
export * from "./detector/mod.ts";
