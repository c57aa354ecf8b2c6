import type {
  AuditEntry,
  AuditRecord,
} from "../../../src/cli/watch/audit_log.ts";

/** An entry of a normal image. */
export function entry(
  path: string,
  more: Partial<AuditEntry> = {},
): AuditEntry {
  return {
    time: "2026-01-02T03:04:05.678Z",
    image_path: path,
    image_sha256: "a".repeat(64),
    image_bytes: 10,
    image_modified: 1000,
    model: "part",
    model_sha256: "b".repeat(64),
    pred_score: 1,
    pred_score_normalized: 0.5,
    pred_label: "normal",
    threshold: 2,
    uncertain_from: null,
    verdict: "ok",
    seconds: 0.1,
    deliver: [],
    ...more,
  };
}

/** The same with a number. */
export function record(
  n: number,
  more: Partial<AuditRecord> = {},
): AuditRecord {
  return { n, ...entry(`/in/${n}.png`, more) };
}
