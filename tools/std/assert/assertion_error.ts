/** What every assertion throws when it does not hold. */
export class AssertionError extends Error {
  /** @param message What did not hold. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}
