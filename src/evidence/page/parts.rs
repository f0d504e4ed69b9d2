//! The page's sections below the chart: what changed, what stands out, what broke, what was sold, what is on record.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Page;
use crate::evidence::hours::Hour;
use crate::evidence::inventory::PortPart;
use crate::evidence::report::{BreakPart, Report};
use crate::evidence::words::{break_kind, cause, number, port_kind, rate, rate_or_dash};
use crate::html::Html;
use crate::inventory::diff::Recorded;
use crate::inventory::instant::Instant;
use crate::metering::habit::{Change, Kind, OF_SLOTS};
use crate::metering::sample::Direction;
use crate::metering::statement::RULES_VERSION;

/// Breaks that the page lists; all are in `breaks.csv`.
const BREAKS_MAX: usize = 100;

/// Columns of records of others that the page shows; all of them are in their files.
const RECORD_COLUMNS_MAX: usize = 7;

/// Records of others that the page lists.
const RECORDS_MAX: usize = 100;

impl Page<'_> {
    /// Whether the behaviour changed, in a sentence a direction.
    pub(super) fn verdict(&mut self) {
        let report = self.report;
        let mut inside = Html::default();
        for (direction, change) in report.changes() {
            inside.element("p", &Html::text(self.sentence(direction, &change)));
        }
        if inside != Html::default() {
            return self.html.element("div class=\"verdict changed\"", &inside);
        }
        let says = if report.is_compared() {
            self.lang.pick(
                "No lasting change of behaviour against the same time of the week in the four weeks before.",
                "直前4週間の同じ曜日・時刻と比べて、継続的な挙動の変化は見られません。",
            )
        } else {
            self.lang.pick(
                "Whether the behaviour changed can't be told: too little was measured here or in the four weeks before.",
                "対象期間または直前4週間の計測値が少ないため、挙動の変化は判断できません。",
            )
        };
        inside.element("p", &Html::text(says));
        self.html.element("div class=\"verdict\"", &inside);
    }

    fn sentence(&self, direction: Direction, change: &Change) -> String {
        let Change { from, kind, value_bps, usual, .. } = change;
        let at = self.clock.time(from.start());
        let direction = self.lang.direction(direction);
        let (now, median, largest) = (rate(*value_bps), rate(usual.median_bps), rate(usual.largest_bps));
        match kind {
            Kind::Louder => self.lang.pick(
                format!(
                    "From {at} on, \"{direction}\" is far above the server's habit: {now} in that slot, where the same time of \
                     the week had {median} (median) and at most {largest} in the four weeks before."
                ),
                format!(
                    "{at} 以降、{direction}が通常を大きく上回っています: そのスロットで {now}(直前4週間の同じ曜日・時刻は中央値 {median}、最大 {largest})"
                ),
            ),
            Kind::Silent => self.lang.pick(
                format!(
                    "From {at} on, \"{direction}\" is next to nothing: {now} in that slot, where the same time of the week had \
                     {median} (median) in the four weeks before."
                ),
                format!(
                    "{at} 以降、{direction}がほぼ途絶えています: そのスロットで {now}(直前4週間の同じ曜日・時刻は中央値 {median})"
                ),
            ),
        }
    }

    pub(super) fn changes(&mut self) {
        let report = self.report;
        self.heading("When the behaviour changed", "挙動が変化した時点");
        let row = |(direction, change): (Direction, Change)| {
            let kind = match change.kind {
                Kind::Louder => self.lang.pick("more than before", "増加"),
                Kind::Silent => self.lang.pick("silent", "途絶"),
            };
            let of = format!("{} / {OF_SLOTS}", change.unlike_slots);
            let mut row = vec![self.time(change.from.start())];
            row.extend([self.lang.direction(direction), kind].map(Html::text));
            row.extend(
                [change.value_bps, change.usual.median_bps, change.usual.largest_bps]
                    .map(|bps| Html::text(rate(bps))),
            );
            row.push(Html::text(of));
            row
        };
        let rows: Vec<Vec<Html>> = report.changes().map(row).collect();
        let columns = [
            ("First slot", "最初のスロット", false),
            ("Direction", "方向", false),
            ("Change", "変化", false),
            ("In that slot", "その時の速度", true),
            ("Before: median", "以前の中央値", true),
            ("Before: largest", "以前の最大", true),
            ("Unusual slots", "異常なスロット", true),
        ];
        self.table(&columns, &rows);
        self.note(
            "\"Before\" is the time within an hour of the same time of the week, in each of the four weeks before. A slot is unusual when \
             it is above twice the largest of them, or next to nothing where there always was traffic; a change is told where six of \
             twelve slots are.",
            "「以前」は、直前4週間それぞれの同じ曜日・時刻の前後1時間の値です。その最大値の2倍を超えるスロット、または常に通信があった時間帯に\
             ほぼ通信のないスロットを異常とし、12スロット中6スロット以上が異常になった最初の時点を示しています。",
        );
    }

    pub(super) fn hours(&mut self) {
        let report = self.report;
        self.heading("The most unusual hours", "通常と最も異なる時間帯");
        if report.hours.is_empty() {
            return self.say(
                "No hour was a quarter or more above the same hours of the four weeks before.",
                "直前4週間の同じ曜日・時刻を4分の1以上上回った時間帯はありません。",
            );
        }
        let row = |hour: &Hour| {
            let mut row = vec![self.time(hour.from.start())];
            let before = match hour.before_bps {
                Some(bps) => rate(bps),
                None => self.lang.pick("not measured", "計測なし").to_owned(),
            };
            row.extend(
                [
                    self.lang.direction(hour.direction).to_owned(),
                    rate(hour.mean_bps),
                    before,
                    number(hour.packets_per_second),
                    number(hour.mean_packet_octets),
                ]
                .map(Html::text),
            );
            row
        };
        let rows: Vec<Vec<Html>> = report.hours.iter().map(row).collect();
        let columns = [
            ("Hour from", "開始", false),
            ("Direction", "方向", false),
            ("Mean rate", "平均速度", true),
            ("Most in the same hour of 4 weeks", "過去4週間の同時刻の最大", true),
            ("Packets per second", "パケット/秒", true),
            ("Octets per packet", "平均パケットサイズ", true),
        ];
        self.table(&columns, &rows);
        self.note(
            "Hours that are a quarter or more above the same hour of the four weeks before, in order of how far they are above it.",
            "過去4週間の同じ曜日・時刻の最大を4分の1以上上回った時間帯を、上回った幅の大きい順に並べています。",
        );
    }

    pub(super) fn breaks(&mut self) {
        let report = self.report;
        self.heading("Resets, gaps and implausible counts", "リセット・欠落・異常値");
        if report.breaks.is_empty() {
            return self.say(
                "None: the counters of all ports ran through.",
                "ありません。全ポートのカウンターは連続しています。",
            );
        }
        let row = |found: &BreakPart| {
            // Digits stay with what they are.
            let counted =
                |rx, tx| Html::text(format!("rx\u{a0}{}\ntx\u{a0}{}", number(Some(rx)), number(Some(tx))));
            let left_out = match (found.rx_octets_left_out, found.tx_octets_left_out) {
                (Some(rx), Some(tx)) => counted(rx, tx),
                _ => Html::text(self.lang.pick("not known", "不明")),
            };
            vec![
                self.time(found.before.at.0),
                self.time(found.after.at.0),
                Html::name(&format!("{} {}", found.device, found.interface)),
                Html::text(break_kind(self.lang, &found.kind)),
                Html::text(cause(self.lang, &found.cause)),
                counted(found.before.rx_octets, found.before.tx_octets),
                counted(found.after.rx_octets, found.after.tx_octets),
                left_out,
            ]
        };
        let rows: Vec<Vec<Html>> = report.breaks.iter().take(BREAKS_MAX).map(row).collect();
        let columns = [
            ("Reading before", "直前の読み取り", false),
            ("Reading after", "直後の読み取り", false),
            ("Port", "ポート", false),
            ("Kind", "種類", false),
            ("Shown by", "判断理由", false),
            ("Counters before", "直前のカウンター", false),
            ("Counters after", "直後のカウンター", false),
            ("Octets left out", "計上していないオクテット", false),
        ];
        self.table(&columns, &rows);
        let more = report.breaks.len().saturating_sub(BREAKS_MAX);
        if more > 0 {
            self.note(
                format!("{more} more are in breaks.csv."),
                format!("ほか{more}件は breaks.csv にあります。"),
            );
        }
        self.note(
            "Between the two readings of a break nothing is counted, for the counters can't tell. A restart of the device is one.",
            "中断の前後の読み取りの間は、カウンターから通信量を判断できないため計上していません。機器の再起動でも発生します。",
        );
    }

    pub(super) fn sold(&mut self) {
        let sold = &self.report.inventory;
        self.heading("The server", "サーバー");
        if let Some(removed) = sold.removed_at {
            let at = self.clock.time(removed.0);
            self.say(
                format!("It was taken out of the inventory at {at}; this is what it was before."),
                format!("{at} に台帳から削除されています。以下は削除前の内容です。"),
            );
        }
        let plans = sold.plans.iter().map(|step| {
            vec![self.time(step.from.0), Html::text(self.lang.pick("plan", "プラン")), Html::name(&step.plan)]
        });
        let allowances = sold.allowances.iter().map(|step| {
            let says = Html::text(self.lang.pick("allowance", "契約帯域"));
            vec![self.time(step.from.0), says, Html::text(rate(step.bps))]
        });
        let steps: Vec<Vec<Html>> = plans.chain(allowances).collect();
        self.table(&[("From", "開始", false), ("What", "項目", false), ("", "", false)], &steps);
        let rows: Vec<Vec<Html>> = sold.ports.iter().map(|port| self.port(port)).collect();
        let columns = [
            ("Device", "機器", false),
            ("Interface", "インターフェース", false),
            ("Kind", "種類", false),
            ("Speed", "速度", true),
            ("From", "開始", false),
            ("Until", "終了", false),
        ];
        self.table(&columns, &rows);
        let rows: Vec<Vec<Html>> = sold.changes.iter().map(|change| self.change(change)).collect();
        if rows.is_empty() {
            return self.note(
                "Nothing of it was changed in the inventory during the window.",
                "対象期間中に台帳の変更はありません。",
            );
        }
        self.html.element("h3", &Html::text(self.lang.pick("Changed during the window", "対象期間中の変更")));
        self.table(&[("When", "日時", false), ("By", "変更者", false), ("What", "内容", false)], &rows);
    }

    fn port(&self, port: &PortPart) -> Vec<Html> {
        let time = |at: Option<Instant>| at.map_or_else(|| Html::text("–"), |at| self.time(at.0));
        vec![
            Html::name(&port.device),
            Html::name(&port.interface),
            Html::text(port_kind(self.lang, port.kind)),
            Html::text(rate_or_dash(port.speed_bps)),
            time(port.from),
            time(port.until),
        ]
    }

    fn change(&self, recorded: &Recorded) -> Vec<Html> {
        let mut line = Html::default();
        line.element("code", &Html::name(&recorded.change.line()));
        vec![self.time(recorded.at.0), Html::name(&recorded.by), line]
    }

    pub(super) fn records(&mut self) {
        let Report { cases, alerts, .. } = self.report;
        self.heading("Cases", "ケース");
        self.record(cases, "cases.json");
        self.heading("Alerts", "アラート");
        self.record(alerts, "alerts.json");
    }

    /// What others have on record, as far as it is a list of objects with plain fields; the file has all of it.
    fn record(&mut self, records: &Value, file: &str) {
        let records = records.as_array().map(Vec::as_slice).unwrap_or_default();
        let count = records.len();
        if count == 0 {
            return self.say("None on record.", "記録はありません。");
        }
        let mut seen = BTreeSet::new();
        let fields = records.iter().filter_map(Value::as_object).flatten();
        let mut columns: Vec<&str> = fields
            .filter(|(_, value)| !value.is_object() && !value.is_array() && !value.is_null())
            .map(|(name, _)| name.as_str())
            .filter(|name| seen.insert(*name))
            .collect();
        columns.truncate(RECORD_COLUMNS_MAX);
        let cell = |record: &Value, name: &str| match record.get(name) {
            None | Some(Value::Null | Value::Object(_) | Value::Array(_)) => Html::text("–"),
            Some(Value::String(text)) => Html::name(text),
            Some(plain) => Html::name(&plain.to_string()),
        };
        let row = |record: &Value| columns.iter().map(|name| cell(record, name)).collect();
        let rows: Vec<Vec<Html>> = records.iter().take(RECORDS_MAX).map(row).collect();
        let headings: Vec<(&str, bool)> = columns.iter().map(|name| (*name, false)).collect();
        self.html.table(&headings, &rows);
        self.note(
            format!("{count} on record; {file} has all of it."),
            format!("{count}件。詳細は {file} にあります。"),
        );
    }

    /// How the figures are made, for a reader who has nothing else.
    pub(super) fn method(&mut self) {
        self.heading("How the figures are made", "数値の算出方法");
        self.say(
            "The counters of the server's ports are read every minute or so. What two readings differ by is spread evenly over the time \
             between them and cut into slots of five minutes; a rate is the mean over a slot, so that a shorter peak may have been \
             higher. No octet is estimated: where the counters can't tell, nothing is counted and the break is listed.",
            "サーバーのポートのカウンターを約1分ごとに読み取り、2回の読み取りの差をその間に均等に配分し、5分間のスロットに区切っています。速度は\
             スロット内の平均であり、瞬間的にはこれより高い可能性があります。推定は行わず、カウンターから判断できない区間は計上せずに中断として記録しています。",
        );
        self.note(
            format!(
                "meter95, rules {RULES_VERSION}. The same figures are in evidence.json; SHA256SUMS has the hashes of all files."
            ),
            format!(
                "meter95(規則 {RULES_VERSION})。同じ数値が evidence.json にあり、全ファイルのハッシュは SHA256SUMS にあります。"
            ),
        );
    }
}
