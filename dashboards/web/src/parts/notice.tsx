// What the reader is told when there are no figures, or only old ones, and what to do about it.

import type { ApiFailure } from "../api/ask";
import { t } from "../words/common";

/** In place of a view that has nothing to show. */
export function Failure({ failure, what, retry }: { failure: ApiFailure; what?: string; retry: () => void }) {
  const { title, help } = words(failure, what);
  return (
    <section class="notice" role="alert">
      <h1>{title}</h1>
      <p>{help}</p>
      {failure.detail !== "" && <p class="muted">{failure.detail}</p>}
      <button type="button" onClick={retry}>
        {t.retry}
      </button>
    </section>
  );
}

/** Above a view whose figures are still there. */
export function Banner({ text, retry }: { text: string; retry?: () => void }) {
  return (
    <p class="banner" role="status">
      {text}
      {retry && (
        <button type="button" class="text" onClick={retry}>
          {t.retry}
        </button>
      )}
    </p>
  );
}

function words(failure: ApiFailure, what: string | undefined): { title: string; help: string } {
  switch (failure.kind) {
    case "unreachable":
      return { title: t.unreachableTitle, help: t.unreachableHelp };
    case "not_found":
      if (what !== undefined) return { title: t.notFoundTitle(what), help: t.notFoundHelp };
      return { title: t.unreadableTitle, help: t.unreadableHelp };
    case "nobody":
      return { title: t.logIn, help: "" };
    case "forbidden":
      return { title: t.forbiddenTitle, help: t.forbiddenHelp };
    case "too_often":
      return { title: t.refusedTitle, help: t.tooOften(failure.retryAfter_s) };
    case "refused":
      return { title: t.refusedTitle, help: t.refusedHelp };
    case "unreadable":
      return { title: t.unreadableTitle, help: t.unreadableHelp };
  }
}
