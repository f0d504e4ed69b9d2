// Words of every dialog in which somebody does something.

import { words } from "../language";
import { t as common } from "./common";

const own = words(
  {
    yourName: "Your name",
    kept: "Kept for good with what is done",
    copy: "Copy",
    copied: "Copied",
    copyFailed: "The browser does not let this page copy. Mark the text and copy it.",
  },
  {
    yourName: "担当者名",
    kept: "操作とともに記録に残ります",
    copy: "コピー",
    copied: "コピーしました",
    copyFailed: "ブラウザーがコピーを許可しませんでした。テキストを選択してコピーしてください。",
  },
);

export const t = { ...common, ...own };
