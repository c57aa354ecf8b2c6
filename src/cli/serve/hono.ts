/**
 * What the service needs of hono: the only file that names its version.
 *
 * @module
 */
export { type Context, Hono, type MiddlewareHandler } from "npm:hono@4.13.19";
export { accepts } from "npm:hono@4.13.19/accepts";
export { bearerAuth } from "npm:hono@4.13.19/bearer-auth";
export { cors } from "npm:hono@4.13.19/cors";
export { HTTPException } from "npm:hono@4.13.19/http-exception";
