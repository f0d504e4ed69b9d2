// In which language the page is: the reader's choice where one was made, otherwise the browser's.

const LANGUAGES = ["en", "ja"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Each language by its own name. */
export const LANGUAGE_NAMES: Record<Language, string> = { en: "English", ja: "日本語" };

const KEY = "meter95-language";

/** The first of the reader's languages that we have, otherwise English. */
export function chooseLanguage(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    const language = LANGUAGES.find((known) => known === tag.toLowerCase().split("-")[0]);
    if (language) return language;
  }
  return "en";
}

export const language = chooseLanguage([recall(KEY) ?? "", ...(globalThis.navigator?.languages ?? [])]);

/** For numbers and times; `en-GB` writes the day before the month and 24 hours. */
export const locale = language === "ja" ? "ja-JP" : "en-GB";

/** The words of the page's language; both languages have the same. */
export function words<T>(en: T, ja: NoInfer<T>): T {
  return language === "ja" ? ja : en;
}

/** Remembers the choice, and shows the page anew in it. */
export function setLanguage(chosen: Language): void {
  remember(KEY, chosen);
  location.reload();
}

/** What this browser was told to remember; nothing where it keeps nothing. */
export function recall(key: string): string | undefined {
  try {
    return globalThis.localStorage?.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Remembers a choice of the reader's. A browser that keeps nothing forgets it with the page. */
export function remember(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // A private window may refuse; the choice holds until the page is left.
  }
}
