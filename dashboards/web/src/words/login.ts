// Words of the login.

import { words } from "../language";
import { t as common } from "./common";

const own = words(
  {
    logInIntro: "This service is open to those who have a token.",
    logInHelp: "A token is made on the command line of the service, and shown once:",
    token: "Token",
    tokenUnknown: "This token is not known here. It may have expired or been revoked.",
  },
  {
    logInIntro: "利用するにはトークンが必要です。",
    logInHelp: "トークンはサービスのコマンドラインで作成します(表示は一度だけです):",
    token: "トークン",
    tokenUnknown: "このトークンは使えません。期限切れか、失効した可能性があります。",
  },
);

export const t = { ...common, ...own };
