import { HoldfastError, UnexpectedAnswerError, type Problem } from "./problem.js";

const waitDefault = 500; // ms before the next attempt, without Retry-After
const waitMax = 10_000; // ms before the next attempt, with any Retry-After

export interface Options {
  /** The key of the caller, sent as `Authorization: Bearer`. */
  key?: string | undefined;
  /** Milliseconds of one attempt. Default 30,000. A durable call can take 5 seconds. */
  attemptTimeout?: number;
  /** The most attempts of one call. Default 6; 1 never repeats. */
  attemptsMax?: number;
  /** Sends the requests. Default: the global fetch. */
  fetch?: typeof fetch;
  /** Waits before the next attempt. Default: a timer. */
  wait?: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

/** Options of one call. */
export interface CallOptions {
  /** Ends the call, also between attempts. */
  signal?: AbortSignal | undefined;
}

export interface Request extends CallOptions {
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** An answer. `replay` is true if the same request was answered before and nothing changed. */
export type Answer<T> = T & { readonly replay: boolean };

export class Caller {
  readonly #base: string;
  readonly #options: Options;

  constructor(server: string | URL, options: Options) {
    this.#base = String(server).replace(/\/+$/, "");
    this.#options = options;
  }

  /**
   * Sends a request until it is answered. It repeats the same request after a time-out, a broken connection, a
   * 503 and a 429.
   */
  async call<T>(request: Request): Promise<Answer<T>> {
    const { attemptsMax = 6, wait = timer } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const last = attempt >= attemptsMax;
      let pause: number;
      try {
        const answer = await this.#send(request);
        if (last || (answer.status !== 503 && answer.status !== 429)) return decode<T>(answer);
        pause = retryAfter(answer.headers.get("Retry-After"));
      } catch (error) {
        if (last || request.signal?.aborted || !repeatable(error, attempt)) throw error;
        pause = backoff(attempt);
      }
      await wait(pause, request.signal);
    }
  }

  async #send({ method, path, body, headers, signal }: Request): Promise<Received> {
    const { key, attemptTimeout = 30_000, fetch = globalThis.fetch } = this.#options;
    const timeout = AbortSignal.timeout(attemptTimeout);
    const answer = await fetch(this.#base + path, {
      method,
      headers: {
        Accept: "application/json",
        ...(body !== undefined && { "Content-Type": "application/json" }),
        ...(key !== undefined && { Authorization: `Bearer ${key}` }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    return { url: this.#base + path, status: answer.status, headers: answer.headers, text: await answer.text() };
  }
}

interface Received {
  url: string;
  status: number;
  headers: Headers;
  text: string;
}

function decode<T>({ url, status, headers, text }: Received): Answer<T> {
  if (status === 204) return undefined as unknown as Answer<T>;
  const mediaType = headers.get("Content-Type")?.split(";")[0]?.trim() ?? "";
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new UnexpectedAnswerError(url, status, mediaType);
  }
  if (status < 300 && mediaType === "application/json" && typeof body === "object" && body !== null) {
    const replay = headers.get("Idempotent-Replay") === "true";
    return Object.defineProperty(body, "replay", { value: replay }) as Answer<T>;
  }
  if (mediaType === "application/problem+json" && typeof (body as Problem | null)?.code === "string") {
    throw new HoldfastError(body as Problem);
  }
  throw new UnexpectedAnswerError(url, status, mediaType);
}

/**
 * Reports whether the next attempt may end better than one that failed with error. A first connection that
 * cannot be made says that the address is wrong, or that no server runs there.
 */
function repeatable(error: unknown, attempt: number): boolean {
  if (error instanceof DOMException) return error.name === "TimeoutError";
  if (!(error instanceof TypeError)) return false; // a problem, or another answer
  const cause = error.cause as { code?: string } | undefined;
  if (cause === undefined) return error.message !== "Failed to parse URL";
  if (cause.code === "ERR_INVALID_URL" || cause.code?.startsWith("CERT_")) return false;
  return attempt > 1 || (cause.code !== "ECONNREFUSED" && cause.code !== "ENOTFOUND");
}

/** Doubles the wait with each attempt, and takes a random part of up to a half off. */
function backoff(attempt: number): number {
  return Math.min(waitDefault * 2 ** (attempt - 1), waitMax) * (1 - Math.random() / 2);
}

/** Reads a Retry-After header: seconds, or a date. */
function retryAfter(header: string | null): number {
  if (!header) return waitDefault;
  const seconds = Number(header);
  const wait = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1000;
  return Number.isNaN(wait) ? waitDefault : Math.min(Math.max(wait, 0), waitMax);
}

function timer(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(running);
      reject(signal?.reason);
    };
    const running = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, milliseconds);
    if (signal?.aborted) end();
    signal?.addEventListener("abort", end, { once: true });
  });
}
