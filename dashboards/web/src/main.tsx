import { render } from "preact";
import { useEffect } from "preact/hooks";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/parts.css";
import "./styles/fleet.css";
import "./styles/servers.css";
import "./styles/server.css";
import "./styles/server_parts.css";
import "./styles/billing.css";
import "./styles/statement.css";
import "./styles/cases.css";
import "./styles/collectors.css";
import "./styles/login.css";
import { language } from "./language";
import { Shell } from "./parts/shell";
import { useRoute, type Route } from "./router";
import { useSession, watchSession } from "./session";
import { startTheme } from "./theme";
import { Billing } from "./views/billing";
import { CaseView } from "./views/case";
import { Cases } from "./views/cases";
import { Collectors } from "./views/collectors";
import { DeviceView } from "./views/device";
import { Fleet } from "./views/fleet";
import { Login } from "./views/login";
import { ServerView } from "./views/server";
import { Servers } from "./views/servers";

function App() {
  const route = useRoute();
  const { session, asked } = useSession();
  useEffect(watchSession, []);
  if (!asked) return null;
  if (session === null) return <Login />;
  return (
    <Shell route={route}>
      <View route={route} />
    </Shell>
  );
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case "fleet":
      return <Fleet route={route} />;
    case "servers":
      return <Servers route={route} />;
    case "server":
      return <ServerView key={route.server} route={route} />;
    case "billing":
      return <Billing route={route} />;
    case "cases":
      return <Cases route={route} />;
    case "case":
      return <CaseView key={route.id} route={route} />;
    case "collectors":
      return <Collectors route={route} />;
    case "device":
      return <DeviceView key={route.device} route={route} />;
  }
}

document.documentElement.lang = language;
history.scrollRestoration = "manual";
startTheme();
render(<App />, document.getElementById("app")!);
