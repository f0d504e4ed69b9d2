// Light or dark: as the reader chose, otherwise as the system is.

import { recall, remember } from "./language";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "meter95-theme";

/** The event that says that colours have changed, for what is drawn by hand. */
export const RECOLOURED = "meter95-recoloured";

const dark = matchMedia("(prefers-color-scheme: dark)");

export function chosenTheme(): Theme {
  return THEMES.find((theme) => theme === recall(KEY)) ?? "auto";
}

export function setTheme(theme: Theme): void {
  remember(KEY, theme === "auto" ? undefined : theme);
  apply(theme);
}

/** Sets the page's colours, now and whenever the system changes its own. */
export function startTheme(): void {
  apply(chosenTheme());
  dark.addEventListener("change", () => apply(chosenTheme()));
}

function apply(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
  dispatchEvent(new Event(RECOLOURED));
}
