// What has changed at the service, told by server-sent events, so that what is shown is asked for again at once.
// Where no stream comes through (an old proxy, say), answers are asked for every 30 seconds instead.

/** What an event names. */
export type Resource =
  | "usage"
  | "cases"
  | "uplinks"
  | "devices"
  | "collectors"
  | "alerts"
  | "periods"
  | "inventory";

/** How often to ask with nothing heard: seldom while the stream stands, for what it may have missed. */
const QUIET_MS = 300_000;
const POLL_MS = 30_000;
/** After a stream is refused for good, when it is tried anew. */
const AGAIN_MS = 60_000;

type Listener = (of: readonly Resource[]) => void;

const listeners = new Set<Listener>();
/** When each was last heard to have changed, and when anything may have. */
const changed_ms = new Map<Resource | "any", number>();
const watchers = new Set<() => void>();
let source: EventSource | undefined;
let live = false;
/** Whether a stream has ended, so that the next one's hello finds answers that may be old. */
let missed = false;
let again: ReturnType<typeof setTimeout> | undefined;

/** Opens the stream. Call it once somebody is known to look; it reconnects by itself. */
export function startLive(): void {
  stopLive();
  document.addEventListener("visibilitychange", lookedAt);
  if (!document.hidden) open();
}

export function stopLive(): void {
  document.removeEventListener("visibilitychange", lookedAt);
  close();
}

/** A browser has few connections to one host, and a stream takes one: a page that nobody looks at keeps none. */
function lookedAt(): void {
  if (!document.hidden) open();
  else if (source) {
    missed = true;
    close();
  }
}

function open(): void {
  close();
  const opened = new EventSource("/v1/events");
  source = opened;
  opened.addEventListener("hello", () => {
    setLive(true);
    // Events may have been missed while there was no stream.
    if (missed) tell([]);
    missed = false;
  });
  opened.addEventListener("changed", (event) => {
    tell(resources(event.data as string));
  });
  opened.addEventListener("error", () => {
    missed = true;
    setLive(false);
    if (opened.readyState === EventSource.CLOSED && source === opened) again = setTimeout(open, AGAIN_MS);
  });
}

function close(): void {
  clearTimeout(again);
  source?.close();
  source = undefined;
  setLive(false);
}

/** Hears of every change; an empty list means that anything may have changed. */
export function onChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Hears whether the stream stands. */
export function onLive(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function isLive(): boolean {
  return live;
}

function tell(of: readonly Resource[]): void {
  for (const resource of of.length === 0 ? (["any"] as const) : of) changed_ms.set(resource, Date.now());
  for (const listener of listeners) listener(of);
}

/** An answer about these that was asked for by then may be old. */
export function staleBefore_ms(of: readonly Resource[]): number {
  const heard = [...of, "any" as const].map((resource) => changed_ms.get(resource) ?? 0);
  return Math.max(Date.now() - refreshAfter_ms(), ...heard);
}

/** After how long an answer is asked for again though nothing was heard, in ms. */
export function refreshAfter_ms(): number {
  return live ? QUIET_MS : POLL_MS;
}

function setLive(now: boolean): void {
  if (live === now) return;
  live = now;
  for (const watcher of watchers) watcher();
}

function resources(data: string): Resource[] {
  try {
    const told = JSON.parse(data) as { of?: unknown };
    return Array.isArray(told.of) ? (told.of as Resource[]) : [];
  } catch {
    return [];
  }
}
