// Why there is no figure, where the server's ports tell.

import { t } from "../../words/server";
import { Banner } from "../notice";
import type { Month } from "./month";

export function WhyNoData({ month: { figures, server } }: { month: Month }) {
  if (!server || !figures || figures.p95_bps !== null) return null;
  const ports = server.ports.filter((port) => !port.check_only);
  if (ports.length === 0) return <Banner text={`${t.noPorts}${t.sentenceGap}${t.noPortsHelp}`} />;
  if (ports.some((port) => port.last_reading !== null)) return null;
  return <Banner text={t.neverRead(ports.map((port) => `${port.device} ${port.interface}`).join(t.comma))} />;
}
