/** Why an operator is none of those that transformers consist of, as a clause. */
export class Refusal extends Error {}
