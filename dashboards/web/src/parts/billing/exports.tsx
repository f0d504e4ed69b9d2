// What is issued of a month, as files: lines for a billing system, the summary, and where the proofs are.

import { useState } from "preact/hooks";
import { files, type Period, type Wanted } from "../../api/periods";
import { language } from "../../language";
import { t } from "../../words/billing";
import { Copy } from "../copy";
import { Panel } from "../panel";

export function Exports({ month }: { month: Period }) {
  const [format, setFormat] = useState<Wanted["format"]>("csv");
  const [headings, setHeadings] = useState<NonNullable<Wanted["headings"]>>(language);
  const [customer, setCustomer] = useState("");
  const [region, setRegion] = useState("");
  const [over, setOver] = useState(false);
  const [since, setSince] = useState("");
  if (month.issued === 0) return <p class="nothing">{t.nothingIssued}</p>;
  const wanted: Wanted = {
    format,
    headings: format === "csv" && headings !== "plain" ? headings : undefined,
    customer: customer.trim(),
    region: region.trim(),
    only_overage: over,
    since_revision: /^[1-9]\d*$/.test(since) ? Number(since) : undefined,
  };
  const command = `meter95 statements --period ${month.period} --bundle proofs`;
  return (
    <div class="panels">
      <Panel title={t.tabs.exports}>
        <p class="muted intro">{t.exportHelp}</p>
        <div class="export-choice">
          <label>
            {t.format}
            <select value={format} onChange={(event) => setFormat(event.currentTarget.value as Wanted["format"])}>
              <option value="csv">{t.csv}</option>
              <option value="json">{t.json}</option>
            </select>
          </label>
          <label>
            {t.headings}
            <select
              value={headings}
              disabled={format === "json"}
              onChange={(event) => setHeadings(event.currentTarget.value as NonNullable<Wanted["headings"]>)}
            >
              {(["en", "ja", "plain"] as const).map((one) => (
                <option key={one} value={one}>
                  {t.headingsOf[one]}
                </option>
              ))}
            </select>
          </label>
          <label>
            {t.customer}
            <input value={customer} onInput={(event) => setCustomer(event.currentTarget.value)} />
          </label>
          <label>
            {t.region}
            <input value={region} onInput={(event) => setRegion(event.currentTarget.value)} />
          </label>
          <label title={t.sinceHelp}>
            {t.sinceRevision}
            <input type="number" min={1} value={since} placeholder={t.sinceHelp} onInput={(event) => setSince(event.currentTarget.value)} />
          </label>
          <label class="toggle">
            <input type="checkbox" checked={over} onChange={(event) => setOver(event.currentTarget.checked)} />
            {t.onlyOverage}
          </label>
        </div>
        <ul class="downloads">
          <li>
            <a href={files.lines(month.period, wanted)} download>
              {t.download}: {t.lines}
            </a>{" "}
            <span class="muted">{t.linesHelp}</span>
          </li>
          <li>
            <a href={files.summary(month.period, wanted)} download>
              {t.download}: {t.summary}
            </a>{" "}
            <span class="muted">{t.summaryHelp}</span>
          </li>
        </ul>
      </Panel>
      <Panel title={t.proofs}>
        <p class="muted intro">{t.proofsHelp}</p>
        <p class="command">
          <code>{command}</code> <Copy text={command} />
        </p>
      </Panel>
    </div>
  );
}
