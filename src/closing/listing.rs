//! Statements as they are listed, for people's tables and for programs.

use serde::Serialize;

use super::export::Filter;
use super::export::columns::kind;
use super::statement::Statement;
use super::table::{Cell, Column};
use crate::inventory::instant::rfc3339;
use crate::metering::overage::Missing;
use crate::store::statements::{Filed, State};

/// A statement with its state: an object of `state` and then all the fields of [`Statement`].
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Stated<'a> {
    /// `held` or `issued`.
    pub state: &'static str,
    /// What it says.
    #[serde(flatten)]
    pub statement: &'a Statement,
}

/// The columns of [`row`]: what of a statement is not nested.
pub const COLUMNS: [Column; 34] = {
    const fn plain(name: &'static str) -> Column {
        Column { name, en: name, ja: name }
    }
    [
        plain("state"),
        plain("period"),
        plain("kind"),
        plain("server"),
        plain("customer"),
        plain("region"),
        plain("revision"),
        plain("reason"),
        plain("issued_at"),
        plain("issued_by"),
        plain("plan"),
        plain("method"),
        plain("missing"),
        plain("from"),
        plain("until"),
        plain("samples"),
        plain("expected"),
        plain("coverage"),
        plain("ranked"),
        plain("rank"),
        plain("discarded"),
        plain("billable_slot"),
        plain("p95_bps"),
        plain("p95_in_bps"),
        plain("p95_out_bps"),
        plain("allowance_bps"),
        plain("overage_bps"),
        plain("billable_bps"),
        plain("amount"),
        plain("currency"),
        plain("burst_slots"),
        plain("burst_left_slots"),
        plain("review"),
        plain("samples_sha256"),
    ]
};

/// The word for a state.
#[must_use]
pub fn state(state: State) -> &'static str {
    match state {
        State::Held => "held",
        State::Issued => "issued",
        State::Withdrawn => "withdrawn",
    }
}

/// A statement with its state.
#[must_use]
pub fn stated(filed: &Filed) -> Stated<'_> {
    Stated { state: state(filed.state), statement: &filed.statement }
}

/// The statements that a filter takes, in the order of ids and revisions: of each server and pool the newest revision,
/// or all of them.
#[must_use]
pub fn chosen<'a>(filed: &'a [Filed], filter: &Filter, all_revisions: bool) -> Vec<&'a Filed> {
    let mut sorted: Vec<&Filed> = filed.iter().collect();
    let key = |filed: &&'a Filed| (&filed.statement.server, filed.statement.revision);
    sorted.sort_by(|a, b| key(a).cmp(&key(b)));
    let superseded = |at: usize| {
        let next = sorted.get(at + 1).map(|next| &next.statement.server);
        next == sorted.get(at).map(|filed| &filed.statement.server)
    };
    let listed = sorted.iter().enumerate().filter(|(at, _)| all_revisions || !superseded(*at));
    listed.map(|(_, filed)| *filed).filter(|filed| filter.takes(&filed.statement)).collect()
}

/// A statement's cells under [`COLUMNS`].
#[must_use]
pub fn row(filed: &Filed) -> Vec<Cell> {
    let statement = &filed.statement;
    let word = |word: &str| Cell::Word(word.to_owned());
    let reasons = statement.review.as_ref().map(|review| review.reasons.join("; "));
    let missing = match statement.missing {
        Missing::Zero => "zero",
        Missing::Exclude => "exclude",
    };
    vec![
        word(state(filed.state)),
        Cell::Word(statement.period.to_string()),
        word(kind(statement)),
        Cell::Text(statement.server.clone()),
        Cell::Text(statement.customer.clone()),
        Cell::Text(statement.region.clone()),
        Cell::Whole(statement.revision.into()),
        Cell::text(statement.reason.as_deref()),
        Cell::Word(rfc3339(statement.issued_at.0)),
        Cell::Text(statement.issued_by.clone()),
        Cell::Text(statement.plan.clone()),
        word(statement.method.name()),
        word(missing),
        Cell::Word(rfc3339(statement.from.0)),
        Cell::Word(rfc3339(statement.until.0)),
        Cell::Whole(statement.samples.into()),
        Cell::Whole(statement.expected.into()),
        Cell::exact(statement.coverage),
        Cell::Whole(statement.ranked.into()),
        statement.rank.map_or(Cell::Nothing, |rank| Cell::Whole(rank.into())),
        Cell::Whole(statement.discarded.into()),
        statement.billable_slot.map_or(Cell::Nothing, |slot| Cell::Word(rfc3339(slot.0))),
        Cell::bps(statement.p95_bps),
        Cell::bps(statement.p95_in_bps),
        Cell::bps(statement.p95_out_bps),
        Cell::bps(statement.allowances.last().map(|step| step.bps)),
        Cell::bps(statement.overage_bps),
        Cell::bps(statement.billable_bps),
        Cell::exact(statement.amount),
        statement.currency.as_deref().map_or(Cell::Nothing, word),
        Cell::Whole(statement.burst_slots.into()),
        Cell::Whole(statement.burst_left_slots.into()),
        Cell::text(reasons.as_deref()),
        word(&statement.samples_sha256),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::closing::example::small;

    fn filed(server: &str, revision: u32, state: State) -> Filed {
        Filed::new(state, Statement { revision, ..small(server, u64::from(revision)).0 })
    }

    #[test]
    fn the_newest_revision_of_each_is_listed() {
        let all = [
            filed("b", 2, State::Held),
            filed("b", 1, State::Issued),
            filed("a", 1, State::Issued),
            filed("c", 3, State::Issued),
        ];
        let listed = |filter: Filter, every| {
            let chosen = chosen(&all, &filter, every);
            let name =
                |f: &&Filed| format!("{}{} {}", f.statement.server, f.statement.revision, state(f.state));
            chosen.iter().map(name).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(listed(Filter::default(), false), "a1 issued, b2 held, c3 issued");
        assert_eq!(listed(Filter::default(), true), "a1 issued, b1 issued, b2 held, c3 issued");
        let over = Filter { only_overage: true, ..Filter::default() };
        assert_eq!(listed(over, true), "b2 held, c3 issued", "1 Mbps is what is granted");
        let since = Filter { since_revision: 2, ..Filter::default() };
        assert_eq!(listed(since, false), "c3 issued");
    }

    #[test]
    fn json_has_the_state_and_every_field() {
        let filed = filed("a", 2, State::Issued);
        let json = serde_json::to_value(stated(&filed)).unwrap();
        let mut fields = serde_json::to_value(&filed.statement).unwrap();
        fields["state"] = "issued".into();
        assert_eq!(json, fields);
        assert_eq!(row(&filed).len(), COLUMNS.len());
        for (column, cell) in COLUMNS.iter().zip(row(&filed)) {
            let plain = json.get(column.name).filter(|value| !value.is_object());
            if let Some(plain) = plain {
                assert_eq!(&serde_json::to_value(cell).unwrap(), plain, "{}", column.name);
            }
        }
    }
}
