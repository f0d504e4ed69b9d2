//! Statements that wait for a person (SPEC.md section 8).

use std::collections::BTreeMap;

use serde_json::json;

use crate::alerts::alert::{Alert, AlertKind, Severity};
use crate::store::statements::Held;

/// An alert for each statement that is held.
#[must_use]
pub fn alerts(held: Vec<Held>) -> Vec<Alert> {
    let alert = |Held { period, server, revision, customer, region }: Held| Alert {
        key: format!("held {server} {period} {revision}"),
        kind: AlertKind::StatementHeld,
        severity: Severity::Warning,
        summary: format!(
            "the statement of {server} for {period} is held for review: meter95 review list --period {period}"
        ),
        details: json!({ "revision": revision }),
        labels: BTreeMap::from([
            ("server".to_owned(), server),
            ("customer".to_owned(), customer),
            ("region".to_owned(), region),
            ("period".to_owned(), period),
        ]),
    };
    held.into_iter().map(alert).collect()
}
