// Finds what a page says in the other language than its own.

import { fileURLToPath } from "node:url";
import { build } from "vite";

const JAPANESE = /[\u3040-\u30ff\u4e00-\u9fff]/;

/** Three words of English in a row: no name or unit is that. */
const ENGLISH = /(?:^|[\s(])[A-Za-z][a-z']+[,;:]? [a-z][a-z']*[,;:]? [a-z][a-z']+/;

/** A piece of a sentence that long is nobody's name. */
const PIECE_MIN = 10;

const LANGUAGE_KEY = "meter95-language";

/** What the words are of each language that the other does not have. */
export async function foreignWords() {
  const input = fileURLToPath(new URL("words.ts", import.meta.url));
  const built = await build({
    configFile: false,
    logLevel: "error",
    build: { ssr: input, write: false, minify: false, rollupOptions: { output: { codeSplitting: false } } },
  });
  const { code } = built.output[0];
  const spoken = {};
  for (const language of ["en", "ja"]) {
    // As a browser that remembers the reader's choice.
    Object.defineProperty(globalThis, "localStorage", {
      value: { getItem: (key) => (key === LANGUAGE_KEY ? language : null) },
      configurable: true,
      writable: true,
    });
    spoken[language] = (await import(`data:text/javascript,${encodeURIComponent(code)}#${language}`)).said();
  }
  delete globalThis.localStorage;
  return { en: only(spoken.ja, spoken.en), ja: only(spoken.en, spoken.ja) };
}

/** What `theirs` says and `ours` nowhere does. */
function only(theirs, ours) {
  const own = new Set(Object.values(ours).flat().map(plain));
  const foreign = Object.values(theirs).map((said) => said.map(plain).filter((text) => !own.has(text)));
  return {
    whole: new Set(foreign.filter((said) => said.length === 1).flat().filter((text) => /\p{L}{3}/u.test(text) || JAPANESE.test(text))),
    pieces: foreign.filter((said) => said.length > 1).flat().filter((text) => text.length >= PIECE_MIN),
  };
}

function plain(text) {
  return text.replaceAll(/\s+/g, " ").trim();
}

/** Of the texts of a page in `language` those that are not in it. */
export function untranslated(texts, language, foreign) {
  const { whole, pieces } = foreign[language];
  return texts.filter((said) => {
    const text = plain(said);
    if (whole.has(text) || pieces.some((piece) => text.includes(piece))) return true;
    return language === "ja" ? !JAPANESE.test(text) && ENGLISH.test(text) : JAPANESE.test(text);
  });
}
