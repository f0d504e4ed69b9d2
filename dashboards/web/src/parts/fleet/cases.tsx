// The open cases, what somebody should do first before the others.

import { openCases, recommendations, type CaseInfo, type Recommended } from "../../api/cases";
import { count } from "../../format";
import { heldSince } from "../../pure/case_acts";
import { mostPressing, nextStep } from "../../pure/fleet";
import { usePolled } from "../../polled";
import { CASES, routeHash } from "../../router";
import { t as ofCases } from "../../words/cases";
import { t } from "../../words/fleet";
import { Ago, Badge } from "../figures";
import { FleetPart } from "./part";

const LINES = 8;

interface Open {
  cases: CaseInfo[];
  recommended: Recommended[];
}

export function FleetCases({ timezone }: { timezone: string }) {
  const polled = usePolled<Open>("open cases", ["cases"], async (signal) => {
    const [cases, recommended] = await Promise.all([openCases(signal), recommendations(signal)]);
    return { cases, recommended };
  });
  const all = polled.answer !== undefined && polled.answer.cases.length > 0 && (
    <a href={routeHash(CASES)}>{t.allCases(count(polled.answer.cases.length))}</a>
  );
  const now_ms = Date.now();
  return (
    <FleetPart title={t.openCases} aside={all} polled={polled}>
      {({ cases, recommended }) =>
        cases.length === 0 ? (
          <p class="well">{t.noCases}</p>
        ) : (
          <div class="scroll">
            <table class="plain wide">
              <thead>
                <tr>
                  <th scope="col">{t.server}</th>
                  <th scope="col">{t.why}</th>
                  <th scope="col" class="wide-only roomy-only">{ofCases.since}</th>
                  <th scope="col">{t.next}</th>
                </tr>
              </thead>
              <tbody>
                {mostPressing(cases, recommended, now_ms).slice(0, LINES).map((of) => (
                  <tr key={of.id}>
                    <th scope="row">
                      <a href={routeHash({ view: "server", server: of.server, period: undefined })}>{of.server}</a>
                    </th>
                    <td class="wrap">
                      {of.urgent && (
                        <>
                          <Badge tone="over">{t.urgent}</Badge>{" "}
                        </>
                      )}
                      {of.rules.map(({ rule }) => t.rule[rule] ?? rule).join(" · ")}
                    </td>
                    <td class="wide-only roomy-only"><Ago at={heldSince(of)} timezone={timezone} /></td>
                    <td>
                      <a href={routeHash({ view: "case", id: of.id, period: undefined })}>{t.step[nextStep(of, now_ms)]}</a>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )
      }
    </FleetPart>
  );
}
