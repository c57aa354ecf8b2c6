import { VERSION } from "../../core/settings/version.ts";
import type { ServiceLimits } from "./limits.ts";

/** A value of JSON. */
type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** An object of JSON. */
interface JsonObject {
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

const NUMBER: JsonObject = { type: "number" };
const INTEGER: JsonObject = { type: "integer" };
const NUMBERS: JsonObject = { type: "array", items: NUMBER };
const STRING: JsonObject = { type: "string" };
const OPTIONAL_NUMBER: JsonObject = { type: ["number", "null"] };

/** An object with exactly these keys; those in `optional` may be missing. */
function object(
  properties: JsonObject,
  optional: readonly string[] = [],
): JsonObject {
  const required = Object.keys(properties).filter((key) =>
    !optional.includes(key)
  );
  return { type: "object", properties, required, additionalProperties: false };
}

/** What the service answers with, as JSON Schema 2020-12. */
const SCHEMAS: JsonObject = {
  Result: object({
    image_path: STRING,
    pred_score: { ...NUMBER, description: "Raw score: a distance" },
    pred_score_normalized: {
      ...OPTIONAL_NUMBER,
      description: "Score divided by threshold, never clamped",
    },
    pred_label: {
      enum: ["normal", "uncertain", "anomalous", null],
      description: "Null where the model has no threshold",
    },
    threshold: OPTIONAL_NUMBER,
    uncertain_from: {
      ...OPTIONAL_NUMBER,
      description:
        "Score from which on an image is uncertain, where there is a band",
    },
    worst_patch: object({
      x: NUMBER,
      y: NUMBER,
      width: NUMBER,
      height: NUMBER,
      nearest: object({
        image_path: STRING,
        x: NUMBER,
        y: NUMBER,
        view: {
          ...STRING,
          description:
            "Which view of that image the patch is of, such as rotated by 45°; missing for the image itself",
        },
      }, ["view"]),
    }),
    map: object({
      path: { type: "null" },
      width: { ...INTEGER, description: "Columns of the image" },
      height: { ...INTEGER, description: "Rows of the image" },
      min: NUMBER,
      max: NUMBER,
      threshold: OPTIONAL_NUMBER,
      scale: {
        ...object({
          min: NUMBER,
          max: NUMBER,
          of: { type: "string", enum: ["model", "image"] },
        }),
        description:
          "What the PNG's greys or colours go from and to: the model's, or, without a threshold, up to the image's own highest value",
      },
      disagrees: {
        type: "boolean",
        description: "Whether the map contradicts the verdict",
      },
      min_area: {
        type: ["integer", "null"],
        description:
          "Pixels of a region that counts in the verdict; null where regions have no say",
      },
      png: {
        type: "string",
        contentEncoding: "base64",
        contentMediaType: "image/png",
        description: "16-bit grey on the scale, or the map over the image",
      },
    }, ["png"]),
    regions: {
      type: "array",
      items: ref("Region"),
      description:
        "Connected regions of the image above the map's threshold, the highest peak first",
    },
    seen: object({ x: NUMBER, y: NUMBER, width: NUMBER, height: NUMBER }),
    ms: {
      ...object({
        decode: NUMBER,
        trunk: OPTIONAL_NUMBER,
        patches: OPTIONAL_NUMBER,
        search: OPTIONAL_NUMBER,
        map: OPTIONAL_NUMBER,
        total: NUMBER,
      }),
      description: "Milliseconds; null where the adapter cannot tell",
    },
  }),
  Region: object({
    x: { ...INTEGER, description: "First column, in pixels of the image" },
    y: { ...INTEGER, description: "First row" },
    width: INTEGER,
    height: INTEGER,
    area: { ...INTEGER, description: "Pixels that belong to it" },
    peak: { ...NUMBER, description: "The largest value of the map in it" },
    peak_x: INTEGER,
    peak_y: INTEGER,
    contour: {
      type: "array",
      minItems: 3,
      items: { type: "array", items: NUMBER, minItems: 2, maxItems: 2 },
      description: "Corners [x, y] of its outer line, clockwise",
    },
  }),
  Failure: object({ image_path: STRING, error: STRING }),
  Problem: object({
    error: { ...STRING, description: "One sentence: what, why, what to do" },
    images: { type: "array", items: { $ref: "#/components/schemas/Failure" } },
  }, ["images"]),
  Models: object({
    models: {
      type: "array",
      items: {
        oneOf: [
          { $ref: "#/components/schemas/Model" },
          { $ref: "#/components/schemas/UnloadedModel" },
        ],
      },
    },
  }),
  Model: object({
    name: STRING,
    sha256: { type: "string", pattern: "^[0-9a-f]{64}$" },
    loaded: { const: true },
    threshold: OPTIONAL_NUMBER,
    uncertain_from: OPTIONAL_NUMBER,
    min_area: { type: ["integer", "null"] },
    input: object({ width: INTEGER, height: INTEGER }),
    members: {
      type: "array",
      items: object({
        backbone: STRING,
        backbone_sha256: { type: "string", pattern: "^[0-9a-f]{64}$" },
        bank_rows: INTEGER,
        dim: INTEGER,
      }),
    },
    images: INTEGER,
    training_scores: {
      ...object({ images: INTEGER, edges: NUMBERS, shares: NUMBERS }),
      type: ["object", "null"],
      description:
        "Distribution of the training images' scores below the threshold: ends of its bins, and shares; null where they are too few",
    },
    promised_false_alarms: {
      ...OPTIONAL_NUMBER,
      description: "Null where the threshold promises nothing",
    },
    settings: { type: "object" },
    software_version: STRING,
  }),
  UnloadedModel: {
    ...object({ name: STRING, loaded: { const: false } }),
    description: "A model of the folder that is loaded when it is asked for",
  },
  Health: object({
    status: {
      type: "string",
      enum: ["ok", "starting", "stalled", "stopping"],
    },
    version: STRING,
    adapter: { type: ["string", "null"], description: "Null while it starts" },
    models: { type: "array", items: STRING },
    queue: object({ images: INTEGER, limit: INTEGER }),
  }),
};

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
    "400": problem("The request is not understood"),
    "403": problem("A page of another origin, or another host name"),
    "431": problem("A header field is too long"),
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
          responses: {
            "200": json("The models", ref("Models")),
            ...refused,
            "503": busy("The service is starting"),
          },
          ...security,
        },
      },
      "/health": {
        get: {
          operationId: "health",
          summary: "Whether images can be inspected now",
          responses: {
            "200": json("They can", ref("Health")),
            "400": problem("The request is not understood"),
            "403": problem("A page of another origin, or another host name"),
            "431": problem("A header field is too long"),
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
      "503": busy(
        "The service is starting, stopping or too slow, or cannot load the model",
      ),
    },
  };
}
