//! An explanation as a text for a customer.

pub(crate) mod figures;
mod history;

use super::layout::{Clock, Column, bps, bps_or_dash, grouped, mbps, money, percent, table};
use super::{Explanation, Neighbour};
use crate::closing::listing::state;
use crate::closing::settle::excluded_slots;
use crate::closing::statement::{Kind, Member, Statement};
use crate::metering::units::{Bps, Slot};
use crate::store::statements::State;

pub use super::words::Lang;

/// A text as it is written.
struct Page<'a> {
    explanation: &'a Explanation,
    lang: Lang,
    clock: Clock,
    text: String,
}

/// The explanation in the words of a language, a line feed at its end.
#[must_use]
pub fn text(explanation: &Explanation, lang: Lang) -> String {
    let Statement { from, until, .. } = explanation.statement;
    let clock = Clock::new(explanation.timezone(), from, until);
    let mut page = Page { explanation, lang, clock, text: String::new() };
    page.head();
    page.measured();
    page.rule();
    page.ranking();
    page.discarded();
    page.members();
    page.changes();
    page.exclusions();
    page.gaps();
    page.breaks();
    page.revisions();
    page.arithmetic();
    page.proof();
    page.text
}

impl Page<'_> {
    fn statement(&self) -> &Statement {
        &self.explanation.statement
    }

    /// A heading, after an empty line.
    fn heading(&mut self, en: &str, ja: &str) {
        let heading = self.lang.pick(en, ja);
        self.text.push_str(&format!("\n{heading}\n"));
    }

    fn say(&mut self, en: impl AsRef<str>, ja: impl AsRef<str>) {
        let line = self.lang.pick(en.as_ref(), ja.as_ref()).to_owned();
        self.text.push_str(&format!("  {line}\n"));
    }

    fn table(&mut self, columns: &[Column<'_>], rows: &[Vec<String>]) {
        self.text.push_str(&table(columns, rows));
    }

    /// `from` to `until`.
    fn span(
        &self,
        from: crate::inventory::instant::Instant,
        until: crate::inventory::instant::Instant,
    ) -> String {
        let (from, until) = (self.clock.time(from.0), self.clock.time(until.0));
        self.lang.pick(format!("{from} to {until}"), format!("{from} ～ {until}"))
    }

    fn head(&mut self) {
        let explanation = self.explanation;
        let Statement { period, timezone, server, customer, revision, issued_at, .. } =
            &explanation.statement;
        let issued_at = self.clock.time(issued_at.0);
        let (en, ja) = match explanation.statement.kind {
            Kind::Server => ("server", "サーバー"),
            Kind::Pool => ("pool", "プール"),
        };
        self.text = self.lang.pick(
            format!("Bandwidth of {en} {server} in {period}, customer {customer}\n"),
            format!("{period} 帯域利用明細  {ja}: {server}  お客様: {customer}\n"),
        );
        let held = explanation.state == state(State::Held);
        if held {
            self.say(
                format!(
                    "Revision {revision}, not issued yet: it waits for a review, and figures may change."
                ),
                format!("第{revision}版(未発行): 確認中のため、数値が変わることがあります。"),
            );
        } else {
            self.say(
                format!("Revision {revision}, issued at {issued_at}."),
                format!("第{revision}版  発行日時: {issued_at}"),
            );
        }
        self.outcome();
        self.say(
            format!("Times are those of {timezone}. A slot is five minutes, named by its start."),
            format!("時刻は {timezone} の時刻です。1スロットは5分間で、開始時刻で表します。"),
        );
        self.say(
            "\"In\" is towards the server, \"out\" from it. 1 Mbps is 1,000,000 bit/s.",
            "「受信」はサーバーへ入る通信、「送信」はサーバーから出る通信です。1 Mbps は 1,000,000 bit/s です。",
        );
    }

    /// The figures on which all ends.
    fn outcome(&mut self) {
        let Statement { p95_bps, amount, billable_bps, currency, overage_bps, .. } = self.statement();
        let (p95, amount, currency) = (*p95_bps, *amount, currency.clone().unwrap_or_default());
        let (billable, overage) = (billable_bps.unwrap_or_default(), overage_bps.unwrap_or_default());
        let Some(p95) = p95 else {
            return self.say(
                "No data: nothing was measured, so there is no 95th percentile and nothing to pay.",
                "計測データがないため、95パーセンタイル値はなく、ご請求はありません。",
            );
        };
        let p95 = mbps(p95);
        self.say(format!("95th percentile: {p95} Mbps"), format!("95パーセンタイル値: {p95} Mbps"));
        if self.statement().allowances.len() > 1 {
            self.say(
                "The allowance changed: the overage is ranked by itself, slot by slot, and not this figure less the allowance.",
                "期間中に契約帯域が変わったため、超過帯域はスロットごとの超過分を順位付けした値であり、上の値から契約帯域を引いたものではありません。",
            );
        }
        match amount.map(money) {
            Some(amount) => {
                let billable = mbps(billable);
                self.say(
                    format!("To pay: {amount} {currency} for {billable} Mbps above the allowance"),
                    format!("ご請求額: {amount} {currency}(課金対象の超過帯域 {billable} Mbps)"),
                );
            }
            None => {
                let overage = mbps(overage);
                self.say(
                    format!("Above the allowance: {overage} Mbps. The plan has no price for it."),
                    format!("超過帯域: {overage} Mbps(このプランに超過料金はありません)"),
                );
            }
        }
    }

    fn measured(&mut self) {
        let statement = self.statement();
        let span = self.span(statement.from, statement.until);
        let (samples, expected) = (grouped(statement.samples), grouped(statement.expected));
        let coverage = statement.coverage.map_or_else(|| "-".to_owned(), percent);
        let least = percent(statement.min_coverage);
        let excluded = !statement.exclusions.is_empty();
        self.heading("What was measured", "計測の状況");
        self.say(format!("Period: {span}"), format!("対象期間: {span}"));
        self.say(
            format!("Slots: {expected} expected, {samples} with a sample that counts"),
            format!("スロット数: 対象 {expected}、有効な計測値あり {samples}"),
        );
        self.say(
            format!("Coverage: {coverage} (below {least} a person reviews the statement)"),
            format!("計測率: {coverage}({least} を下回る場合は担当者が確認します)"),
        );
        if excluded {
            self.say(
                "Excluded slots were measured too; they are in the coverage, but do not count.",
                "対象外とした時間帯も計測はしており、計測率には含みますが、計算には使いません。",
            );
        }
    }

    fn rule(&mut self) {
        let Statement { plan, method, missing, .. } = self.statement();
        let (method, missing) = (self.lang.method(*method), self.lang.missing(*missing));
        let plan = plan.clone();
        let one_allowance = self.statement().allowances.len() <= 1;
        self.heading("How it is billed", "計算の方法");
        self.say(format!("Plan {plan}: {method}."), format!("プラン {plan}: {method}。"));
        let order = self.lang.order(one_allowance);
        self.say(order, order);
        self.say(
            "The largest twentieth (5 %) is discarded. The next value decides: what of it is above the allowance is billed.",
            "上位20分の1(5 %)を除外し、その次の値で決まります。その値のうち契約帯域を超える分がご請求の対象です。",
        );
        self.say(missing, missing);
    }

    fn ranking(&mut self) {
        let explanation = self.explanation;
        if explanation.neighbours.is_empty() {
            return;
        }
        self.heading("Around the value that decides (bit/s)", "基準となる値とその前後 (bit/s)");
        if let Some(direction) = explanation.direction {
            let (en, ja) = (Lang::En.direction(direction), Lang::Ja.direction(direction));
            self.say(
                format!("The larger result is that of {en}: it is what is ranked here."),
                format!("結果が大きいのは{ja}のため、{ja}の順位を示します。"),
            );
        }
        let pick = |en, ja| self.lang.pick(en, ja);
        let columns = [
            (pick("Place", "順位"), true),
            (pick("Slot", "スロット"), false),
            (pick("In", "受信"), true),
            (pick("Out", "送信"), true),
            (pick("Value", "値"), true),
            (pick("Allowance", "契約帯域"), true),
            (pick("Above it", "超過"), true),
            ("", false),
        ];
        let rows: Vec<Vec<String>> = explanation.neighbours.iter().map(|n| self.place(n)).collect();
        self.table(&columns, &rows);
    }

    fn place(&self, neighbour: &Neighbour) -> Vec<String> {
        let no_sample = || self.lang.pick("no sample", "計測値なし").to_owned();
        let slot = neighbour.slot.map_or_else(no_sample, |slot| self.clock.time(slot.0));
        let discarded = neighbour.from_top <= self.statement().discarded;
        let says = match (neighbour.decides, discarded) {
            (true, _) => self.lang.pick("<- decides", "← 基準"),
            (false, true) => self.lang.pick("discarded", "除外"),
            (false, false) => "",
        };
        vec![
            grouped(neighbour.from_top),
            slot,
            bps_or_dash(neighbour.in_bps),
            bps_or_dash(neighbour.out_bps),
            bps(neighbour.value_bps),
            bps_or_dash(neighbour.allowance_bps),
            bps(neighbour.excess_bps),
            says.to_owned(),
        ]
    }

    fn discarded(&mut self) {
        let explanation = self.explanation;
        let days = &explanation.discarded;
        if days.is_empty() {
            return;
        }
        let shown: u64 = days.iter().map(|day| day.slots).sum();
        let largest = days.iter().map(|day| day.largest_bps).max().unwrap_or_default();
        self.heading("What is discarded, by day", "除外した値(日別)");
        let pick = |en, ja| self.lang.pick(en, ja);
        let columns = [
            (pick("Day", "日付"), false),
            (pick("Slots", "スロット数"), true),
            (pick("Largest (bit/s)", "最大値 (bit/s)"), true),
        ];
        let row = |day: String, slots: u64, largest: Bps| vec![day, grouped(slots), bps(largest)];
        let mut rows: Vec<Vec<String>> =
            days.iter().map(|day| row(day.day.to_string(), day.slots, day.largest_bps)).collect();
        rows.push(row(pick("All", "合計").to_owned(), shown, largest));
        self.table(&columns, &rows);
        let without = explanation.statement.discarded.saturating_sub(shown);
        if without > 0 {
            let without = grouped(without);
            self.say(
                format!("The other {without} discarded values are slots without a sample, which count as 0."),
                format!("ほかに除外した{without}個は、計測値がなく0として扱ったスロットです。"),
            );
        }
    }

    fn members(&mut self) {
        let explanation = self.explanation;
        let Statement { kind, members, billable_slot, .. } = &explanation.statement;
        if *kind == Kind::Server {
            return;
        }
        self.heading("The servers of the pool", "プール内のサーバー");
        self.say(
            "They are summed slot by slot before anything is ranked.",
            "順位付けの前に、スロットごとに合計します。",
        );
        if let Some(slot) = billable_slot {
            let slot = self.clock.time(slot.0);
            self.say(
                format!("Their parts are those in the slot that decides, {slot}."),
                format!("内訳は、基準となるスロット({slot})のものです。"),
            );
        }
        let pick = |en, ja| self.lang.pick(en, ja);
        let columns = [
            (pick("Server", "サーバー"), false),
            (pick("Samples", "計測値数"), true),
            (pick("Own p95 (bit/s)", "単独の95パーセンタイル値 (bit/s)"), true),
            (pick("Part of in", "受信の内訳"), true),
            (pick("Part of out", "送信の内訳"), true),
        ];
        let row = |member: &Member| {
            let of_member = explanation.statement.exclusions.iter().filter(|e| e.server == member.server);
            let excluded = billable_slot.is_some_and(|slot| {
                excluded_slots(of_member).iter().any(|span| span.contains(Slot::of(slot.0)))
            });
            let part =
                |bps| if excluded { pick("excluded", "対象外").to_owned() } else { bps_or_dash(bps) };
            vec![
                member.server.clone(),
                grouped(member.samples),
                bps_or_dash(member.p95_bps),
                part(member.share_in_bps),
                part(member.share_out_bps),
            ]
        };
        let rows: Vec<Vec<String>> = members.iter().map(row).collect();
        self.table(&columns, &rows);
    }
}
