/** A checkpoint that cannot be read, or that asks for more than data. */
export class CheckpointError extends Error {
  /** Tells this class of errors from others. */
  override readonly name = "CheckpointError";
}

/** Says that the checkpoint asks for `what`, which is more than data. */
export function refused(what: string): CheckpointError {
  return new CheckpointError(
    `Refused "${printable(what)}": a weights file may hold only tensors, ` +
      `dicts, lists, tuples, numbers and strings; save model.state_dict()`,
  );
}

/** Says that the checkpoint is malformed. */
export function malformed(what: string): CheckpointError {
  return new CheckpointError(
    `Cannot read the checkpoint: ${printable(what, 400)}`,
  );
}

/** Returns `text` cut to a length and free of control characters. */
export function printable(text: string, length = 100): string {
  const clean = text.slice(0, length + 1).replace(/\p{C}/gu, "�");
  return clean.length > length ? `${clean.slice(0, length)}…` : clean;
}
