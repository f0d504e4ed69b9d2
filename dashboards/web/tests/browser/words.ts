// All words of the dashboard in one language, for the tests of what is not translated.

/// <reference types="vite/client" />

const files = import.meta.glob<Record<string, unknown>>("../../src/words/*.ts", { eager: true });

/** Stands for whatever a sentence has in it. */
const GAP = "\u0001";

/** Every word and sentence by where it stands; of those with something in them, the pieces around that. */
export function said(): Record<string, string[]> {
  const all: Record<string, string[]> = {};
  const gather = (path: string, value: unknown) => {
    if (typeof value === "string") all[path] = [value];
    else if (typeof value === "function") all[path] = pieces(value as (...given: string[]) => unknown);
    else if (typeof value === "object" && value !== null) for (const [name, inner] of Object.entries(value)) gather(`${path}.${name}`, inner);
  };
  for (const [file, exported] of Object.entries(files)) gather(file, exported);
  return all;
}

function pieces(sentence: (...given: string[]) => unknown): string[] {
  try {
    return String(sentence(GAP, GAP, GAP, GAP)).split(GAP);
  } catch {
    // A function of something else than texts.
    return [];
  }
}
