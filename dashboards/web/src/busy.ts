// Whether anything that is shown still waits for its first answer: what `<main aria-busy>` says, to whoever reads by ear
// and to the tests.

import { useEffect, useLayoutEffect, useState } from "preact/hooks";

let waiting = 0;
const listeners = new Set<() => void>();

function wait(change: 1 | -1): void {
  waiting += change;
  for (const listener of listeners) listener();
}

/** For what stands in the place of an answer, as long as it stands there. */
export function useWaiting(): void {
  useLayoutEffect(() => {
    wait(1);
    return () => wait(-1);
  }, []);
}

/** Whether something waits. */
export function useBusy(): boolean {
  const [busy, setBusy] = useState(true);
  useEffect(() => {
    const listener = () => setBusy(waiting > 0);
    listeners.add(listener);
    listener();
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return busy;
}
