//! The page's words: the month's counts, what is to be known of it, how the amount comes about, and how to check it.

use super::{BODY, BOTTOM, GUTTER, LABEL, LEADING, LEFT, LOWER, Page, RIGHT, RULE, STRONG, Style, WORDS};
use crate::closing::explain::layout::{bps_or_dash, grouped, mbps, mbps_cut, money, percent};
use crate::closing::explain::text::figures::sentences;
use crate::closing::statement::{Gap, Kind, Statement};
use crate::report::drawing::{Len, PT, Side};
use crate::report::sheet::Standing;

/// The table beside the curve.
const TABLE: Len = LEFT + 290 * PT + GUTTER;

/// From one of its lines to the next.
const ROW: Len = 1_310;

/// Lines of the footer: how to check, the hash, and the page.
const FOOT: Len = BOTTOM - 34 * PT;

/// Lines that something to be known takes at most; the statement and its explanation have all of it.
const KNOWN_LINES_MAX: usize = 2;

/// Spans of an incident or a gap that are named; what is beyond is counted.
const NAMED_MAX: usize = 2;

impl Page<'_> {
    /// The counts, beside the curve.
    pub(super) fn facts(&mut self) {
        let rows = self.counts();
        let top = LOWER + self.lower;
        self.heading((TABLE, top), "In numbers", "内訳");
        let mut y = top + 14 * PT;
        for (label, value) in rows {
            let wide = self.put_right((RIGHT, y), STRONG, 120 * PT, &value);
            self.put((TABLE, y), BODY, RIGHT - TABLE - wide - 6 * PT, label);
            self.drawing.line(&[(TABLE, y + 4 * PT), (RIGHT, y + 4 * PT)], RULE);
            y += ROW;
        }
    }

    fn counts(&self) -> Vec<(&'static str, String)> {
        let statement = self.statement();
        let Statement { samples, expected, ranked, discarded, burst_slots, burst_left_slots, .. } = statement;
        let pick = |en, ja| self.lang.pick(en, ja);
        let largest = self.sheet.curve.first().map(|(_, bps)| *bps).filter(|_| statement.p95_bps.is_some());
        let used = burst_slots.saturating_sub(*burst_left_slots);
        let hours = |slots: u64| format!("{}:{:02}", slots / 12, slots % 12 * 5);
        let no = || "–".to_owned();
        let largest = largest.map_or_else(no, |bps| format!("{} Mbps", mbps_cut(bps)));
        let decides = statement.rank.map_or_else(no, |_| grouped(discarded + 1));
        vec![
            (pick("Slots of the period", "対象スロット数"), grouped(*expected)),
            (pick("with a sample that counts", "有効な計測値"), grouped(*samples)),
            (pick("Coverage", "計測率"), statement.coverage.map_or_else(no, percent)),
            (pick("Ranked values", "順位付けした値"), grouped(*ranked)),
            (pick("Discarded from the top", "上位から除外"), grouped(*discarded)),
            (pick("Place that decides", "基準となる順位"), decides),
            if self.sheet.by_excess {
                (pick("Largest excess", "最大の超過"), largest)
            } else {
                (pick("Largest value", "最大値"), largest)
            },
            (pick("p95 in / out (bit/s)", "95%値 受信 / 送信 (bit/s)"), {
                let (into, out) = (bps_or_dash(statement.p95_in_bps), bps_or_dash(statement.p95_out_bps));
                format!("{into} / {out}")
            }),
            (pick("Free time above allowance, used", "無料の超過時間(使用 / 全体)"), {
                self.pick(
                    format!("{} of {} h", hours(used), hours(*burst_slots)),
                    format!("{} / {} 時間", hours(used), hours(*burst_slots)),
                )
            }),
        ]
    }

    /// How the figure is made, and what is to be known of the month.
    pub(super) fn words(&mut self) {
        let wide = RIGHT - LEFT;
        let how = self.how();
        let last = FOOT - 16 * PT;
        let top = WORDS + self.lower;
        self.heading((LEFT, top), "How this figure is made", "算出方法");
        let mut y = top + 14 * PT;
        for (sentence, number) in how.iter().zip(1..) {
            self.put((LEFT, y), LABEL, 12 * PT, &format!("{number}."));
            y = self.paragraph((LEFT + 12 * PT, y), wide - 12 * PT, sentence, (BODY, usize::MAX));
        }
        let y = y + 9 * PT;
        let known = self.known();
        if y + LEADING > last {
            return;
        }
        self.heading((LEFT, y), "What to know about this period", "特記事項");
        let mut y = y + 14 * PT;
        for (at, fact) in known.iter().enumerate() {
            let left = known.len() - at;
            let lines =
                self.fonts.lines(fact, BODY.weight, BODY.size, wide - 12 * PT).len().min(KNOWN_LINES_MAX);
            let needs = LEADING * Len::try_from(lines).unwrap_or(0) + if left > 1 { LEADING } else { 0 };
            if y - LEADING + needs > last {
                let more = match self.sheet.standing {
                    Standing::Issued | Standing::UnderReview => self.pick(
                        format!("and {left} more, which meter95 explain tells."),
                        format!("ほか{left}件(meter95 explain に記載)"),
                    ),
                    Standing::Preliminary { .. } => {
                        self.pick(format!("and {left} more"), format!("ほか{left}件"))
                    }
                };
                self.put((LEFT + 12 * PT, y), BODY, wide, &more);
                return;
            }
            self.put((LEFT, y), LABEL, 12 * PT, "–");
            y = self.paragraph((LEFT + 12 * PT, y), wide - 12 * PT, fact, (BODY, KNOWN_LINES_MAX));
        }
    }

    /// A text in lines, of which the last one that may be ends in an ellipsis. Returns where the next line goes.
    pub(super) fn paragraph(
        &mut self,
        (x, y): (Len, Len),
        width: Len,
        text: &str,
        (style, lines_max): (Style, usize),
    ) -> Len {
        let lines = self.fonts.lines(text, style.weight, style.size, width);
        let mut y = y;
        for (at, line) in lines.iter().enumerate().take(lines_max) {
            let is_cut = at + 1 == lines_max && lines.len() > lines_max;
            let line = if is_cut { lines[at..].join(" ") } else { line.clone() };
            self.drawing.text(self.fonts, (Side::Left, x, y), style, width, &line);
            y += LEADING;
        }
        y
    }

    /// The rule in words, with the month's numbers.
    fn how(&self) -> Vec<String> {
        let Statement { method, missing, samples, expected, kind, allowances, tariff, p95_bps, .. } =
            self.statement();
        let (samples, expected) = (grouped(*samples), grouped(*expected));
        let (method, missing) = (self.lang.method(*method), self.lang.missing(*missing));
        let order = self.lang.order(allowances.len() <= 1);
        let summed = match kind {
            Kind::Server => String::new(),
            Kind::Pool => self.pick(
                " The servers of the pool are summed slot by slot before anything is ranked.",
                "プール内のサーバーは、順位付けの前にスロットごとに合計します。",
            ),
        };
        let mut how = vec![
            self.pick(
                format!(
                    "What the counters of the network ports have counted is cut into slots of five minutes; {samples} of {expected} \
                     have a sample. {missing}{summed}"
                ),
                format!(
                    "ネットワークポートのカウンターの値を5分間のスロットに区切ります。{expected} スロットのうち {samples} に計測値が\
                     あります。{missing}{summed}"
                ),
            ),
            self.pick(format!("Method: {method}. {order}"), format!("{method}。{order}")),
        ];
        if p95_bps.is_none() {
            how.push(self.pick(
                "Nothing was measured, so there is no 95th percentile and nothing to pay.",
                "計測データがないため、95パーセンタイル値はなく、ご請求はありません。",
            ));
            return how;
        }
        how.extend(sentences(&self.sheet.explanation.steps, self.lang));
        if tariff.is_none() {
            how.push(self.pick(
                "The plan has no price for what is above the allowance.",
                "このプランに超過料金はありません。",
            ));
        }
        how
    }

    /// What of the month is not as in any other.
    fn known(&self) -> Vec<String> {
        let mut known = Vec::new();
        known.extend(self.statement().reason.as_ref().map(|reason| {
            self.pick(format!("Why it was corrected: {reason}"), format!("訂正の理由: {reason}"))
        }));
        known.extend(self.members());
        known.extend(self.changes());
        known.extend(self.exclusions());
        known.extend(self.gaps());
        known.extend(self.breaks());
        if known.is_empty() {
            known.push(self.pick(
                "Every slot was measured, the counters ran through, and nothing is excluded.",
                "全スロットを計測済みで、カウンターの不連続や対象外とした時間帯はありません。",
            ));
        }
        known
    }

    fn members(&self) -> Option<String> {
        let Statement { kind, members, .. } = self.statement();
        if *kind == Kind::Server {
            return None;
        }
        let n = members.len();
        let names: Vec<&str> = members.iter().map(|member| member.server.as_str()).collect();
        let names = names.join(self.lang.pick(", ", "、"));
        Some(
            self.pick(
                format!("Servers of the pool, {n}: {names}"),
                format!("プール内のサーバー {n}台: {names}"),
            ),
        )
    }

    fn changes(&self) -> Vec<String> {
        let Statement { allowances, plans, plan, .. } = self.statement();
        let mut changes = Vec::new();
        if allowances.len() > 1 {
            let steps: Vec<String> = allowances
                .iter()
                .map(|step| format!("{} {} Mbps", self.clock.time(step.from.0), mbps(step.bps)))
                .collect();
            let steps = steps.join(" → ");
            changes.push(self.pick(format!("Allowance: {steps}"), format!("契約帯域: {steps}")));
        }
        if plans.len() > 1 {
            let steps: Vec<String> =
                plans.iter().map(|step| format!("{} {}", self.clock.time(step.from.0), step.plan)).collect();
            let steps = steps.join(" → ");
            changes.push(self.pick(
                format!(
                    "Plan: {steps}. The whole period is billed by the terms of {plan}, the plan at its end."
                ),
                format!("プラン: {steps}。期間全体を、期末時点のプラン {plan} の条件で計算します。"),
            ));
        }
        changes
    }

    fn exclusions(&self) -> Vec<String> {
        let Statement { exclusions, measured, currency, .. } = self.statement();
        let mut told: Vec<String> = exclusions
            .iter()
            .take(NAMED_MAX)
            .map(|exclusion| {
                let span = self.between(exclusion.from.0, exclusion.until.0);
                let (server, why) = (&exclusion.server, &exclusion.why);
                self.pick(
                    format!("Does not count: {server}, {span}: {why}"),
                    format!("計算の対象外: {server} {span}: {why}"),
                )
            })
            .collect();
        let more = exclusions.len().saturating_sub(NAMED_MAX);
        if more > 0 {
            told.push(
                self.pick(
                    format!("and {more} more incidents that do not count"),
                    format!("ほか対象外{more}件"),
                ),
            );
        }
        if let Some(measured) = measured {
            let p95 = measured.p95_bps.map_or_else(|| "–".to_owned(), mbps);
            let amount = measured.amount.map(money).zip(currency.as_ref());
            let amount =
                amount.map_or_else(String::new, |(amount, currency)| format!(", {amount} {currency}"));
            told.push(self.pick(
                format!("If they counted: p95 {p95} Mbps{amount}"),
                format!("対象外としない場合: 95パーセンタイル値 {p95} Mbps{amount}"),
            ));
        }
        told
    }

    fn gaps(&self) -> Option<String> {
        let members = &self.statement().members;
        let gaps: Vec<&Gap> = members.iter().flat_map(|member| &member.gaps).collect();
        let longest = gaps.iter().max_by_key(|gap| gap.slots)?;
        let slots = grouped(gaps.iter().map(|gap| gap.slots).sum::<u64>());
        let (span, cause) =
            (self.between(longest.from.0, longest.until.0), self.lang.cause(longest.cause.as_deref()));
        Some(match gaps.len() {
            1 => self.pick(
                format!("No sample: {slots} slots, {span} ({cause})."),
                format!("計測値のないスロット: {slots}。{span}({cause})"),
            ),
            spans => self.pick(
                format!("No sample: {slots} slots in {spans} spans; the longest is {span} ({cause})."),
                format!("計測値のないスロット: {slots}({spans}か所)。最長は {span}({cause})"),
            ),
        })
    }

    fn breaks(&self) -> Option<String> {
        let Statement { breaks, breaks_total, .. } = self.statement();
        let first = breaks.first()?;
        let count = grouped(*breaks_total);
        let (span, what) = (self.between(first.after.0, first.at.0), self.lang.cause(Some(&first.kind)));
        Some(self.pick(
            format!(
                "Breaks in the counters, over which nothing is counted: {count}; the first is {span} ({what})."
            ),
            format!("カウンターの不連続(その間の通信量は計算に含めません): {count}件。最初は {span}({what})"),
        ))
    }

    fn between(&self, from: meter95_reading::Timestamp, until: meter95_reading::Timestamp) -> String {
        let (from, until) = (self.clock.time(from), self.clock.time(until));
        self.pick(format!("{from} to {until}"), format!("{from} ～ {until}"))
    }

    /// How all of it can be checked, and which page it is.
    pub(super) fn foot(&mut self, (number, of): (usize, usize)) {
        let Statement { rules, samples_sha256, timezone, .. } = self.statement();
        self.drawing.line(&[(LEFT, FOOT - 11 * PT), (RIGHT, FOOT - 11 * PT)], RULE);
        let wide = RIGHT - LEFT;
        let check = match self.sheet.standing {
            Standing::Issued => self.lang.pick(
                "To check: every sample is in the bundle of this statement; meter95 verify makes all figures again from it.",
                "検証方法: すべての計測値はこの明細のバンドルファイルに含まれ、meter95 verify で全数値を再計算できます。",
            ),
            Standing::UnderReview | Standing::Preliminary { .. } => self.lang.pick(
                "This is not final: what is billed follows from the statement once it is issued, and its bundle will have every sample.",
                "これは確定した金額ではありません。ご請求は発行後の明細に基づき、明細はすべての計測値を含むバンドルファイルで検証できます。",
            ),
        };
        self.put((LEFT, FOOT), LABEL, wide, check);
        let hash = self.pick(
            format!("SHA-256 of the samples {samples_sha256}, rules {rules}"),
            format!("計測値の SHA-256 {samples_sha256}  規則 {rules}"),
        );
        self.put((LEFT, FOOT + 10 * PT), LABEL, wide, &hash);
        let words = self.pick(
            format!(
                "Times are those of {timezone}; a slot is named by its start. \"In\" is towards the server, \"out\" from it. \
                 1 Mbps is 1,000,000 bit/s."
            ),
            format!(
                "時刻は {timezone}、スロットは開始時刻で表します。「受信」はサーバーへ入る通信、「送信」は出る通信です。\
                 1 Mbps は 1,000,000 bit/s です。"
            ),
        );
        let place = format!("{number} / {of}");
        let width = self.put_right((RIGHT, FOOT + 20 * PT), LABEL, 60 * PT, &place);
        self.put((LEFT, FOOT + 20 * PT), LABEL, wide - width - 8 * PT, &words);
    }
}
