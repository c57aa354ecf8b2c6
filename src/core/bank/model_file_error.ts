/** A model file that cannot be read, written or used. */
export class ModelFileError extends Error {
  override readonly name = "ModelFileError";
}
