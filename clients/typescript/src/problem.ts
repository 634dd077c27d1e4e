import type { components } from "./schema.js";

/** An RFC 9457 problem. `code` decides which of its fields are set. */
export type Problem = components["schemas"]["Problem"];

class ProblemError extends Error {
  constructor(problem: Problem) {
    super(`${problem.code}: ${problem.detail}`);
    Object.assign(this, problem);
    this.name = "HoldfastError";
  }
}

/**
 * The error for a call that the server refuses or fails to serve. It has the fields of its problem:
 *
 *     if (e instanceof HoldfastError && e.code === "insufficient_stock") e.shortages
 */
export type HoldfastError = ProblemError & Problem;
export const HoldfastError = ProblemError as unknown as {
  new (problem: Problem): HoldfastError;
  readonly prototype: HoldfastError;
};

/** The error for an answer that a Holdfast server does not give. */
export class UnexpectedAnswerError extends Error {
  override name = "UnexpectedAnswerError";

  constructor(
    readonly url: string,
    readonly status: number,
    readonly mediaType: string,
  ) {
    super(`${url} answered ${status} with ${mediaType || "no content type"}: is this a Holdfast server?`);
  }
}
