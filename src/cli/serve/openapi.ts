import { VERSION } from "../../core/settings/version.ts";
import type { ServiceLimits } from "./limits.ts";
import { SCHEMAS } from "./openapi_schemas.ts";

/** A value of JSON. */
type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** An object of JSON. */
export interface JsonObject {
  /** Any key. */
  readonly [key: string]: Json;
}

const ref = (name: string): JsonObject => ({
  $ref: `#/components/schemas/${name}`,
});

const json = (description: string, schema: JsonObject): JsonObject => ({
  description,
  content: { "application/json": { schema } },
});

const problem = (description: string): JsonObject =>
  json(description, ref("Problem"));

const busy = (description: string): JsonObject => ({
  ...problem(description),
  headers: {
    "Retry-After": {
      description: "Seconds after which to send it again",
      schema: { type: "integer" },
    },
  },
});

const query = (
  name: string,
  description: string,
  schema: JsonObject,
): JsonObject => ({ name, in: "query", description, schema });

/**
 * The service in OpenAPI 3.1.
 *
 * @param limits What it accepts.
 * @param withToken Whether a bearer token is needed.
 */
export function openApi(
  limits: ServiceLimits,
  withToken: boolean,
): JsonObject {
  const security: JsonObject = withToken ? { security: [{ token: [] }] } : {};
  const refused: JsonObject = {
    "403": problem("A page of another origin, or another host name"),
    ...(withToken && { "401": problem("The token is missing or wrong") }),
  };
  return {
    openapi: "3.1.0",
    info: {
      title: "PatchCore",
      version: VERSION,
      description:
        "Finds what is wrong in images, with models fitted from good ones",
      license: { name: "MIT", identifier: "MIT" },
    },
    paths: {
      "/predict": { post: { ...predict(limits, refused), ...security } },
      "/models": {
        get: {
          operationId: "models",
          summary: "The models and their settings",
          responses: { "200": json("The models", ref("Models")), ...refused },
          ...security,
        },
      },
      "/health": {
        get: {
          operationId: "health",
          summary: "Whether images can be inspected now",
          responses: {
            "200": json("They can", ref("Health")),
            "403": problem("A page of another origin, or another host name"),
            "503": json("They cannot at the moment", ref("Health")),
          },
        },
      },
      "/metrics": {
        get: {
          operationId: "metrics",
          summary: "Counters and histograms in Prometheus' text format",
          responses: {
            "200": {
              description: "The metrics",
              content: { "text/plain": { schema: { type: "string" } } },
            },
            ...refused,
          },
          ...security,
        },
      },
    },
    components: {
      schemas: SCHEMAS,
      ...(withToken && {
        securitySchemes: { token: { type: "http", scheme: "bearer" } },
      }),
    },
  };
}

function predict(limits: ServiceLimits, refused: JsonObject): JsonObject {
  const image: JsonObject = { schema: {} };
  return {
    operationId: "predict",
    summary: "Score one image, or every file of a form",
    parameters: [
      query("model", "Name of the model; needed where there are several", {
        type: "string",
      }),
      query("map", "Adds the anomaly map to every result, as PNG in base64", {
        type: "string",
        enum: ["png", "overlay"],
      }),
      query("name", "What the result calls an image that is the body", {
        type: "string",
        default: "image",
      }),
    ],
    requestBody: {
      required: true,
      description:
        `At most ${limits.maxBytes} bytes, ${limits.queue} images, and ${limits.maxPixels} pixels an image`,
      content: {
        "image/*": image,
        "application/octet-stream": image,
        "multipart/form-data": {
          schema: {
            type: "object",
            additionalProperties: { type: "string", format: "binary" },
          },
        },
      },
    },
    responses: {
      "200": {
        description: "The result of an image, or a list of a form's results",
        content: {
          "application/json": {
            schema: {
              oneOf: [ref("Result"), {
                type: "array",
                items: { oneOf: [ref("Result"), ref("Failure")] },
              }],
            },
          },
          "image/png": { schema: {} },
        },
      },
      ...refused,
      "400": problem("The request is incomplete or not understood"),
      "404": problem("There is no such model"),
      "406": problem("A form cannot be answered with a PNG"),
      "408": problem("The body did not arrive in time"),
      "413": problem("Too many bytes, images or pixels"),
      "415": problem("The body is of another type"),
      "422": problem("No image of the request could be used"),
      "429": busy("The service is full"),
      "500": problem("The service failed"),
      "503": busy("The service is starting, stopping or too slow"),
    },
  };
}
