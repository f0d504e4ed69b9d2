import { render } from "preact";
import { useEffect } from "preact/hooks";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { language } from "./messages";
import { useRoute } from "./router";
import { useSession, watchSession } from "./session";
import { Fleet } from "./views/fleet";
import { Login } from "./views/login";
import { ServerView } from "./views/server";

function App() {
  const route = useRoute();
  const session = useSession();
  useEffect(watchSession, []);
  if (session === null) return <Login />;
  return route.view === "fleet" ? <Fleet route={route} /> : <ServerView key={route.server} route={route} />;
}

document.documentElement.lang = language;
history.scrollRestoration = "manual";
render(<App />, document.getElementById("app")!);
