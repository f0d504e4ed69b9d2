// Logging in with a token, in place of everything else.

import { useEffect, useRef, useState } from "preact/hooks";
import { ApiFailure } from "../api/ask";
import { t } from "../words/login";
import { logIn } from "../session";

export function Login() {
  const field = useRef<HTMLInputElement>(null);
  const [failure, setFailure] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = `${t.logIn} · meter95`;
    field.current?.focus();
  }, []);

  const submit = async (event: Event) => {
    event.preventDefault();
    const token = field.current?.value.trim() ?? "";
    if (token === "") return;
    setBusy(true);
    setFailure("");
    try {
      await logIn(token);
    } catch (cause) {
      setBusy(false);
      setFailure(words(cause));
      field.current?.select();
    }
  };

  return (
    <main>
      <section class="notice login">
        <h1>meter95</h1>
        <p>{t.logInIntro}</p>
        <form onSubmit={submit}>
          <label for="token">{t.token}</label>
          <input
            ref={field}
            id="token"
            type="password"
            autocomplete="current-password"
            spellcheck={false}
            required
            aria-invalid={failure !== ""}
            aria-describedby="login-failure"
          />
          <button type="submit" disabled={busy}>
            {t.logIn}
          </button>
          <p id="login-failure" class="over" role="alert">
            {failure}
          </p>
        </form>
        <p class="muted">
          {t.logInHelp} <code>meter95 token create NAME --role viewer</code>
        </p>
      </section>
    </main>
  );
}

function words(cause: unknown): string {
  if (!(cause instanceof ApiFailure)) return t.unreadableTitle;
  switch (cause.kind) {
    case "nobody":
      return t.tokenUnknown;
    case "too_often":
      return t.tooOften(cause.retryAfter_s);
    case "unreachable":
      return t.unreachableTitle;
    default:
      return cause.detail === "" ? t.refusedTitle : cause.detail;
  }
}
