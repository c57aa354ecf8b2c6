import type { JsonObject } from "./openapi.ts";

const NUMBER: JsonObject = { type: "number" };
const INTEGER: JsonObject = { type: "integer" };
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
export const SCHEMAS: JsonObject = {
  Result: object({
    image_path: STRING,
    pred_score: { ...NUMBER, description: "Raw score: a distance" },
    pred_score_normalized: {
      ...OPTIONAL_NUMBER,
      description: "Score divided by threshold, never clamped",
    },
    pred_label: { type: "string", enum: ["normal", "anomalous"] },
    threshold: OPTIONAL_NUMBER,
    worst_patch: object({
      x: NUMBER,
      y: NUMBER,
      width: NUMBER,
      height: NUMBER,
      nearest: object({ image_path: STRING, x: NUMBER, y: NUMBER }),
    }),
    map: object({
      path: { type: "null" },
      width: { ...INTEGER, description: "Columns of the image" },
      height: { ...INTEGER, description: "Rows of the image" },
      min: NUMBER,
      max: NUMBER,
      threshold: OPTIONAL_NUMBER,
      png: {
        type: "string",
        contentEncoding: "base64",
        contentMediaType: "image/png",
        description:
          "16-bit grey from 0 to twice the map's threshold, or the map over the image",
      },
    }, ["png"]),
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
  Failure: object({ image_path: STRING, error: STRING }),
  Problem: object({
    error: { ...STRING, description: "One sentence: what, why, what to do" },
    images: { type: "array", items: { $ref: "#/components/schemas/Failure" } },
  }, ["images"]),
  Models: object({
    models: {
      type: "array",
      items: object({
        name: STRING,
        threshold: OPTIONAL_NUMBER,
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
        settings: { type: "object" },
        software_version: STRING,
      }),
    },
  }),
  Health: object({
    status: {
      type: "string",
      enum: ["ok", "starting", "stalled", "stopping"],
    },
    version: STRING,
    adapter: STRING,
    models: { type: "array", items: STRING },
    queue: object({ images: INTEGER, limit: INTEGER }),
  }),
};
