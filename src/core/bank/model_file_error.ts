/** A model file that cannot be read, written or used. */
export class ModelFileError extends Error {
  /** Tells this class of errors from others. */
  override readonly name = "ModelFileError";
}
