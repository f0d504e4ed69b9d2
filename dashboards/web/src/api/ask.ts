// The API as the dashboard asks it. A file beside this one has a resource's answers as types and the questions for them.
// Rates are whole bit/s, money is a decimal string, times are RFC 3339. Words are those of SPEC.md section 1.

/** Why a question to the API has no answer, by what the reader can do about it. */
export type FailureKind = "unreachable" | "not_found" | "nobody" | "forbidden" | "too_often" | "refused" | "unreadable";

/** The event that says that an answer needs somebody to be logged in. */
export const NOBODY = "meter95-nobody";

export class ApiFailure extends Error {
  readonly kind: FailureKind;
  /** What the service said itself, empty when it said nothing. */
  readonly detail: string;
  /** After how many seconds to ask again, where the service says so. */
  readonly retryAfter_s: number;

  constructor(kind: FailureKind, detail: string, retryAfter_s = 0) {
    super(`${kind}: ${detail}`);
    this.kind = kind;
    this.detail = detail;
    this.retryAfter_s = retryAfter_s;
  }
}

/** A request that takes longer counts as unreachable. */
const DEADLINE_MS = 20_000;

/** What a query is made of; undefined and empty parts are left out. */
export type Query = Record<string, string | number | boolean | undefined>;

/** A path with its query. */
export function address(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "" && value !== false) params.set(name, String(value));
  }
  const text = params.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** Asks for an answer. */
export async function get<T>(path: string, signal: AbortSignal): Promise<T> {
  const { body } = await asked(path, "application/json", signal);
  return parse(body, path);
}

/** Asks for an answer that there may be none to; null then. */
export async function getIfAny<T>(path: string, signal: AbortSignal): Promise<T | null> {
  const { response, body } = await asked(path, "application/json", signal);
  return response.status === 204 ? null : parse(body, path);
}

/** Asks for a text, such as a snippet to paste. */
export async function getText(path: string, signal: AbortSignal): Promise<string> {
  return (await asked(path, "text/plain", signal)).body;
}

async function asked(path: string, accept: string, signal: AbortSignal): Promise<{ response: Response; body: string }> {
  const answer = await exchange(path, { headers: { accept } }, signal);
  if (answer.response.status === 401) dispatchEvent(new Event(NOBODY));
  if (!answer.response.ok) throw failure(answer.response, answer.body);
  return answer;
}

/**
 * Asks for something to be done; the browser says by itself that this page asks. A `key` makes sure that asking again
 * for the same after a lost answer does it once.
 */
export async function send<T>(method: "POST" | "PUT" | "DELETE", path: string, content?: unknown, key?: string): Promise<T | undefined> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (content !== undefined) headers["content-type"] = "application/json";
  if (key !== undefined) headers["idempotency-key"] = key;
  const body = content === undefined ? null : JSON.stringify(content);
  const { response, body: answer } = await exchange(path, { method, headers, body });
  if (!response.ok) throw failure(response, answer);
  return answer === "" ? undefined : parse(answer, path);
}

/** Asks for something, and for its whole answer. */
async function exchange(path: string, init: RequestInit, signal?: AbortSignal): Promise<{ response: Response; body: string }> {
  const signals = [AbortSignal.timeout(DEADLINE_MS)];
  if (signal) signals.push(signal);
  try {
    const response = await fetch(path, { ...init, signal: AbortSignal.any(signals) });
    return { response, body: await response.text() };
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiFailure("unreachable", "");
  }
}

function parse<T>(body: string, path: string): T {
  try {
    return JSON.parse(body) as T;
  } catch {
    throw new ApiFailure("unreadable", path);
  }
}

function failure(response: Response, body: string): ApiFailure {
  const detail = problemDetail(body) ?? `${response.status} ${response.statusText}`.trim();
  switch (response.status) {
    case 401:
      return new ApiFailure("nobody", detail);
    case 403:
      return new ApiFailure("forbidden", detail);
    case 404:
      return new ApiFailure("not_found", detail);
    case 429:
      return new ApiFailure("too_often", detail, Number(response.headers.get("retry-after")) || 1);
    case 502:
    case 503:
    case 504:
      return new ApiFailure("unreachable", detail);
    default:
      return new ApiFailure("refused", detail);
  }
}

/** The `detail` (or `title`) of an application/problem+json body. */
function problemDetail(body: string): string | undefined {
  try {
    const problem = JSON.parse(body) as { title?: string; detail?: string };
    return problem.detail ?? problem.title;
  } catch {
    return undefined;
  }
}
