import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { language } from "./messages";
import { useRoute } from "./router";
import { Fleet } from "./views/fleet";
import { ServerView } from "./views/server";

function App() {
  const route = useRoute();
  return route.view === "fleet" ? <Fleet route={route} /> : <ServerView key={route.server} route={route} />;
}

document.documentElement.lang = language;
history.scrollRestoration = "manual";
render(<App />, document.getElementById("app")!);
