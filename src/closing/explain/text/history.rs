//! What happened: changes of terms, exclusions, what was not measured, and corrections.

use super::super::layout::{bps, grouped, mbps, money};
use super::Page;
use crate::closing::statement::{Measured, Statement};
use crate::metering::units::Bps;

/// Rows of a table at most; what is beyond is counted.
const ROWS_MAX: usize = 40;

impl Page<'_> {
    /// Plans and allowances over the period.
    pub(super) fn changes(&mut self) {
        let explanation = self.explanation;
        let Statement { plans, allowances, plan, .. } = &explanation.statement;
        self.heading("What was granted", "契約帯域");
        let pick = |en, ja| self.lang.pick(en, ja);
        let columns =
            [(pick("From", "適用開始"), false), (pick("Allowance (bit/s)", "契約帯域 (bit/s)"), true)];
        let row = |step: &crate::closing::statement::AllowanceStep| {
            vec![self.clock.time(step.from.0), bps(step.bps)]
        };
        let rows: Vec<Vec<String>> = allowances.iter().map(row).collect();
        self.table(&columns, &rows);
        if plans.len() > 1 {
            for step in plans {
                let (from, plan) = (self.clock.time(step.from.0), &step.plan);
                self.say(format!("Plan from {from} on: {plan}"), format!("{from} からのプラン: {plan}"));
            }
            self.say(
                format!("The whole period is billed by the terms of {plan}, the plan at its end."),
                format!("期間全体を、期末時点のプラン {plan} の条件で計算します。"),
            );
        }
    }

    pub(super) fn exclusions(&mut self) {
        let explanation = self.explanation;
        let Statement { exclusions, measured, p95_bps, amount, currency, .. } = &explanation.statement;
        if exclusions.is_empty() {
            return;
        }
        self.heading("What is excluded", "計算の対象外とした時間帯");
        for exclusion in exclusions {
            let span = self.span(exclusion.from, exclusion.until);
            let (server, why) = (&exclusion.server, &exclusion.why);
            self.say(format!("{server}, {span}: {why}"), format!("{server} {span}: {why}"));
        }
        let Some(Measured { p95_bps: without, amount: without_amount, .. }) = measured else { return };
        let shown = |p95: &Option<Bps>, amount: &Option<rust_decimal::Decimal>| {
            let p95 = p95.map_or_else(|| "-".to_owned(), |p95| format!("{} Mbps", mbps(p95)));
            let currency = currency.as_deref().unwrap_or_default();
            match amount {
                Some(amount) => format!("{p95}, {} {currency}", money(*amount)),
                None => p95,
            }
        };
        let (with, without) = (shown(p95_bps, amount), shown(without, without_amount));
        self.say(format!("With the exclusion: {with}"), format!("対象外とした場合: {with}"));
        self.say(format!("Without it: {without}"), format!("対象外としない場合: {without}"));
    }

    pub(super) fn gaps(&mut self) {
        let explanation = self.explanation;
        let members = &explanation.statement.members;
        let gaps = members.iter().flat_map(|member| member.gaps.iter().map(|gap| (&member.server, gap)));
        let count = gaps.clone().count();
        if count == 0 {
            return;
        }
        self.heading("Slots without a sample", "計測値のないスロット");
        let pick = |en, ja| self.lang.pick(en, ja);
        let columns = [
            (pick("Server", "サーバー"), false),
            (pick("Span", "時間帯"), false),
            (pick("Slots", "スロット数"), true),
            (pick("Cause", "原因"), false),
        ];
        let row = |(server, gap): (&String, &crate::closing::statement::Gap)| {
            let cause = self.lang.cause(gap.cause.as_deref());
            vec![server.clone(), self.span(gap.from, gap.until), grouped(gap.slots), cause]
        };
        let rows: Vec<Vec<String>> = gaps.take(ROWS_MAX).map(row).collect();
        self.table(&columns, &rows);
        self.more(count.saturating_sub(rows.len()) as u64);
    }

    pub(super) fn breaks(&mut self) {
        let explanation = self.explanation;
        let Statement { breaks, breaks_total, .. } = &explanation.statement;
        if breaks.is_empty() {
            return;
        }
        self.heading("Breaks in the counters", "カウンターの不連続");
        self.say(
            "Of the time between the two readings nothing is counted.",
            "前後の計測の間の通信量は計算に含めていません。",
        );
        let pick = |en, ja| self.lang.pick(en, ja);
        let columns = [
            (pick("Port", "ポート"), false),
            (pick("Between", "前後の計測"), false),
            (pick("What", "内容"), false),
        ];
        let row = |line: &crate::closing::statement::BreakLine| {
            let port = format!("{} {}", line.device, line.interface);
            vec![port, self.span(line.after, line.at), self.lang.cause(Some(&line.kind))]
        };
        let rows: Vec<Vec<String>> = breaks.iter().take(ROWS_MAX).map(row).collect();
        self.table(&columns, &rows);
        self.more(breaks_total.saturating_sub(rows.len() as u64));
    }

    fn more(&mut self, more: u64) {
        if more > 0 {
            let more = grouped(more);
            self.say(format!("and {more} more"), format!("ほか{more}件"));
        }
    }

    pub(super) fn revisions(&mut self) {
        let explanation = self.explanation;
        if explanation.revisions.len() < 2 {
            if let Some(reason) = &explanation.statement.reason {
                self.heading("Why it was corrected", "訂正の理由");
                self.say(reason, reason);
            }
            return;
        }
        self.heading("Revisions", "訂正の履歴");
        let pick = |en, ja| self.lang.pick(en, ja);
        let columns = [
            (pick("Revision", "版"), true),
            (pick("Issued at", "発行日時"), false),
            (pick("Billable (Mbps)", "課金対象 (Mbps)"), true),
            (pick("Amount", "金額"), true),
            (pick("Reason", "理由"), false),
        ];
        let row = |revision: &super::super::Revision| {
            let currency = revision.currency.as_deref().unwrap_or_default();
            let amount = revision.amount.map(|amount| format!("{} {currency}", money(amount)));
            vec![
                revision.revision.to_string(),
                self.clock.time(revision.issued_at.0),
                revision.billable_bps.map_or_else(|| "-".to_owned(), mbps),
                amount.unwrap_or_else(|| "-".to_owned()),
                revision.reason.clone().unwrap_or_default(),
            ]
        };
        let rows: Vec<Vec<String>> = explanation.revisions.iter().map(row).collect();
        self.table(&columns, &rows);
    }
}
