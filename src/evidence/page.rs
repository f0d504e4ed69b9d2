//! The page for people: no script, nothing from elsewhere, good on paper. Whatever others named is escaped.

mod parts;

use super::chart::{chart, slots_a_point};
use super::report::{Report, Total};
use super::tables::Zone;
use super::words::{amount, number, rate};
use crate::closing::explain::layout::{Clock, grouped};
use crate::closing::explain::text::Lang;
use crate::html::{Column, Html};
use crate::inventory::instant::rfc3339;
use meter95_reading::Timestamp;

/// How it looks. Colours differ in brightness too, so that a print in black tells them apart.
const STYLE: &str = include_str!("page/style.css");

/// A browser that obeys this runs no script and loads nothing, should a text ever be more than a text.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page as it is written.
struct Page<'a> {
    report: &'a Report,
    lang: Lang,
    clock: Clock,
    html: Html,
}

/// `index.html`.
#[must_use]
pub fn page(report: &Report, lang: Lang) -> String {
    let clock = Clock::new(Zone::of(report).timezone(), report.from, report.until);
    let mut page = Page { report, lang, clock, html: Html::default() };
    page.head();
    page.glance();
    page.chart();
    if report.changes().next().is_some() {
        page.changes();
    }
    page.hours();
    page.breaks();
    page.sold();
    page.records();
    page.method();
    let body = page.html.into_string();
    let title = lang.pick("Evidence", "調査資料");
    let title = Html::text(format!("{title}: {}", report.server)).into_string();
    let code = lang.pick("en", "ja");
    format!(
        "<!DOCTYPE html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

impl Page<'_> {
    fn heading(&mut self, en: &str, ja: &str) {
        self.html.element("h2", &Html::text(self.lang.pick(en, ja)));
    }

    fn say(&mut self, en: impl AsRef<str>, ja: impl AsRef<str>) {
        self.html.element("p", &Html::text(self.lang.pick(en.as_ref(), ja.as_ref())));
    }

    fn note(&mut self, en: impl AsRef<str>, ja: impl AsRef<str>) {
        self.html.element("p class=\"note\"", &Html::text(self.lang.pick(en.as_ref(), ja.as_ref())));
    }

    /// A table under its headings in both languages.
    fn table(&mut self, columns: &[(&str, &str, bool)], rows: &[Vec<Html>]) {
        let pick = |&(en, ja, number)| (self.lang.pick(en, ja), number);
        let columns: Vec<Column<'_>> = columns.iter().map(pick).collect();
        self.html.table(&columns, rows);
    }

    fn time(&self, time: Timestamp) -> Html {
        Html::text(self.clock.time(time))
    }

    fn head(&mut self) {
        let Report { server, from, until, timezone, inventory, .. } = self.report;
        let mut title = Html::text(self.lang.pick("Traffic of ", "通信の記録: "));
        title.push(&Html::name(server));
        self.html.element("h1", &title);
        let mut who = Html::default();
        let fields = [
            (self.lang.pick("customer", "お客様"), &inventory.customer),
            (self.lang.pick("region", "リージョン"), &inventory.region),
        ];
        for (says, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            who.push_text(&format!("{says} "));
            who.push(&Html::name(value));
            who.push_text(self.lang.pick(", ", "、"));
        }
        let (shown_from, shown_until) = (self.clock.time(from.0), self.clock.time(until.0));
        who.push_text(
            &self.lang.pick(
                format!("from {shown_from} to {shown_until}"),
                format!("{shown_from} ～ {shown_until}"),
            ),
        );
        self.html.element("p class=\"lead\"", &who);
        let (utc_from, utc_until) = (rfc3339(from.0), rfc3339(until.0));
        self.note(
            format!("Times are those of {timezone}; in UTC the window is {utc_from} to {utc_until}. \"In\" is towards the server, \"out\" from it."),
            format!("時刻は {timezone} の時刻です(UTC では {utc_from} ～ {utc_until})。「受信」はサーバーへ入る通信、「送信」はサーバーから出る通信です。"),
        );
    }

    /// The window in some figures.
    fn glance(&mut self) {
        let report = self.report;
        self.heading("At a glance", "概要");
        self.verdict();
        let total = |total: &Total, says: &str| {
            let Total { octets, packets, largest, most_packets } = total;
            let largest = largest.map_or_else(
                || "–".to_owned(),
                |peak| format!("{} ({})", rate(peak.bps), self.clock.time(peak.slot.start())),
            );
            let most = most_packets.map_or_else(
                || "–".to_owned(),
                |peak| {
                    let (n, at) = (grouped(peak.packets_per_second), self.clock.time(peak.slot.start()));
                    let size = number(peak.mean_packet_octets);
                    self.lang.pick(
                        format!("{n} of {size} octets ({at})"),
                        format!("{n}(平均 {size} オクテット、{at})"),
                    )
                },
            );
            [says.to_owned(), amount(*octets), grouped(*octets), number(*packets), largest, most]
                .map(Html::text)
                .to_vec()
        };
        let rows = [
            total(&report.summary.r#in, self.lang.pick("In", "受信")),
            total(&report.summary.out, self.lang.pick("Out", "送信")),
        ];
        let columns = [
            ("", "", false),
            ("Data", "通信量", true),
            ("Octets", "オクテット数", true),
            ("Packets", "パケット数", true),
            ("Highest slot", "最大のスロット", false),
            ("Most packets per second", "パケット/秒の最大", false),
        ];
        self.table(&columns, &rows);
        let count = |state: &str| grouped(report.summary.states.get(state).copied().unwrap_or(0));
        let (slots, full, partial) = (grouped(report.summary.slots), count("full"), count("partial"));
        let (missing, open, outside) = (count("missing"), count("open"), count("out_of_service"));
        self.note(
            format!(
                "{slots} slots of five minutes: {full} measured, {partial} in part, {missing} without a sample, \
                 {open} not closed yet, {outside} out of service."
            ),
            format!(
                "5分間のスロット {slots}: 計測 {full}、一部欠測 {partial}、欠測 {missing}、未確定 {open}、サービス期間外 {outside}"
            ),
        );
    }

    fn chart(&mut self) {
        let report = self.report;
        self.heading("Traffic by slot", "スロットごとの通信量");
        let chart = chart(report, &self.clock, self.lang);
        self.html.element("figure", &chart);
        let slots = slots_a_point(report.slots.len());
        if slots > 1 {
            self.note(
                format!("Each point is the largest of {slots} slots; traffic.csv has every slot."),
                format!("各点は{slots}スロット中の最大値です。全スロットは traffic.csv にあります。"),
            );
        }
    }
}
