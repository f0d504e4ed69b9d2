//! What others have on record of a server over a window: its cases, and the alerts about it.

use serde_json::Value;

use super::report::Records;
use super::window::Window;
use crate::store::alerts::Which;
use crate::store::connection::Store;
use crate::throttle::desk::{CaseError, Cases};
use crate::throttle::view::Shown;

impl Records {
    /// Reads them: every case with a step in the window or that was open in it, and every alert that was raised in it.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn read(store: &Store, cases: &Cases, server: &str, window: Window) -> Result<Self, CaseError> {
        let (from, until) = (window.from(), window.until());
        let mut of_window = cases.of_server(server).await?;
        of_window.retain(|case| {
            let last = case.last_step().map_or(case.begun_at, |step| step.at);
            case.opened_at() < until && (!case.state.is_over() || from <= last)
        });
        let cases: Vec<Shown<'_>> = of_window.iter().map(|case| Shown::whole(case)).collect();
        let alerts = store.alerts(Which::Of { server, from, until }).await?;
        let list = |list: serde_json::Result<Value>| list.unwrap_or_else(|_| Value::Array(Vec::new()));
        Ok(Self { cases: list(serde_json::to_value(&cases)), alerts: list(serde_json::to_value(&alerts)) })
    }
}
