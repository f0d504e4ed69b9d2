//! What is known of cases: those that have not ended, and those that had a step lately.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::throttle::case::Case;
use crate::throttle::step::Step;

/// How long an ended case stays in mind after its last step, in ms: 90 days. Older ones are read when they are asked for.
pub(super) const KEEP_MS: i64 = 90 * 86_400_000;

/// Steps that make no sense after those before them, and were left out.
const SENSELESS: &str = "meter95_case_steps_senseless_total";

/// Cases by number, and who has an open one.
#[derive(Debug, Default)]
pub(super) struct Book {
    begun: bool,
    serial: u64,
    last_case: u64,
    cases: BTreeMap<u64, Arc<Case>>,
    open: HashMap<String, u64>,
}

impl Book {
    /// The number up to which every step is known; `None` before anything was read.
    pub(super) fn known(&self) -> Option<u64> {
        self.begun.then_some(self.serial)
    }

    /// Everything in mind was read, when these were the highest numbers of a step and of a case.
    pub(super) fn begin(&mut self, serial: u64, case: u64) {
        self.begun = true;
        self.serial = self.serial.max(serial);
        self.last_case = self.last_case.max(case);
    }

    /// The highest numbers of a step and of a case so far.
    pub(super) fn numbers(&self) -> (u64, u64) {
        (self.serial, self.last_case)
    }

    /// Everything up to this step is known.
    pub(super) fn written(&mut self, serial: u64) {
        self.serial = self.serial.max(serial);
    }

    /// All cases, in the order of their numbers.
    pub(super) fn cases(&self) -> impl DoubleEndedIterator<Item = &Arc<Case>> {
        self.cases.values()
    }

    /// A case.
    pub(super) fn get(&self, id: u64) -> Option<&Arc<Case>> {
        self.cases.get(&id)
    }

    /// The open case of a server.
    pub(super) fn open_of(&self, server: &str) -> Option<&Arc<Case>> {
        self.open.get(server).and_then(|id| self.cases.get(id))
    }

    /// Takes a case as it is, unless one with more steps is known.
    pub(super) fn put(&mut self, case: Case) {
        if self.cases.get(&case.id).is_some_and(|known| known.steps.len() > case.steps.len()) {
            return;
        }
        self.index(&case);
        self.last_case = self.last_case.max(case.id);
        self.cases.insert(case.id, Arc::new(case));
    }

    /// Takes a step that is stored. One that makes no sense, as two processes without a common lock may write it, is left
    /// out: whoever reads leaves out the same ones.
    pub(super) fn learn(&mut self, step: Step) {
        self.serial = self.serial.max(step.serial);
        self.last_case = self.last_case.max(step.case);
        let (id, number) = (step.case, step.number);
        let known =
            self.cases.get(&id).and_then(|case| case.steps.iter().rfind(|known| known.number == number));
        if known == Some(&step) {
            return;
        }
        let came_of = match self.cases.get_mut(&id) {
            Some(case) => Arc::make_mut(case).take(step).map_err(|e| e.to_string()),
            None => self.opened(step),
        };
        match came_of {
            Ok(()) => {
                if let Some(case) = self.cases.get(&id).cloned() {
                    self.index(&case);
                }
            }
            Err(error) => {
                metrics::counter!(SENSELESS).increment(1);
                tracing::error!(
                    case = id,
                    number,
                    error,
                    "stored step of a case makes no sense and is left out"
                );
            }
        }
    }

    fn opened(&mut self, step: Step) -> Result<(), String> {
        let case = Case::open(step).map_err(|e| e.to_string())?;
        if let Some(open) = self.open.get(case.server()) {
            return Err(format!("case {open} of server {:?} is open", case.server()));
        }
        self.cases.insert(case.id, Arc::new(case));
        Ok(())
    }

    fn index(&mut self, case: &Case) {
        if !case.state.is_over() {
            self.open.insert(case.server().to_owned(), case.id);
        } else if self.open.get(case.server()) == Some(&case.id) {
            self.open.remove(case.server());
        }
    }

    /// Forgets cases that ended long before the newest step.
    pub(super) fn forget(&mut self) {
        let last = |case: &Case| case.last_step().map(|step| step.at);
        let Some(newest) = self.cases.values().filter_map(|case| last(case)).max() else { return };
        let keep_from = newest.plus_ms(-KEEP_MS);
        self.cases.retain(|_, case| !case.state.is_over() || last(case).is_some_and(|at| at >= keep_from));
    }
}
