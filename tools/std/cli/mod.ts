/**
 * A small stand-in for `@std/cli`, so that the project runs where JSR is not
 * reachable.
 *
 * @module
 */
export * from "./parse_args.ts";
