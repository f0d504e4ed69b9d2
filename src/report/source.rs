//! What reports of a month are made of, read from the store: the newest statements with the samples that prove them, and
//! what statements would say that are not issued yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::stream::{self, Stream, StreamExt};
use meter95_reading::Timestamp;

use super::sheet::{Sheet, Standing};
use crate::aggregator::output::ServerId;
use crate::aggregator::state::Times;
use crate::closing::acts::Trail;
use crate::closing::close::CloseError;
use crate::closing::draft::{Frame, Stored};
use crate::closing::explain::text::Lang;
use crate::closing::facts::Facts;
use crate::closing::proof::{self, ProofError, samples_by};
use crate::closing::statement::Statement;
use crate::closing::unit::Unit;
use crate::inventory::document::site::CustomerEntry;
use crate::inventory::instant::{Instant, rfc3339};
use crate::metering::period::Month;
use crate::metering::units::Slot;
use crate::store::connection::{Store, StoreError};
use crate::store::statements::{Filed, State};

/// Sheets that are made side by side: while one is drawn, ClickHouse works on the next.
const SHEETS_AT_ONCE: usize = 4;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Nothing of this name is billed in the month, or none of its slots has closed yet: whoever may not see a server can't
    /// tell which.
    #[error("{period} has no slot of a server or pool {server:?} that has closed")]
    Unknown {
        /// The month.
        period: Month,
        /// What was asked for.
        server: String,
    },
    /// It has no statement of its own.
    #[error("server {server:?} is billed with pool {:?} in {period}: ask for that", pool.server())]
    InPool {
        /// The month.
        period: Month,
        /// What was asked for.
        server: String,
        /// With what it is billed.
        pool: Box<Subject>,
    },
    /// No slot of the month has closed.
    #[error("{period} has no slot that has closed by {now}")]
    NotBegun {
        /// The month.
        period: Month,
        /// Now.
        now: String,
    },
    /// What a statement would say can't be told.
    #[error(transparent)]
    Close(#[from] CloseError),
    /// A statement's samples are not there.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A month's statements, and what there is besides to tell of them.
pub struct Source {
    store: Store,
    subjects: Vec<Subject>,
    /// What drafts have in common, and before which slot they are made.
    frame: Option<(Arc<Frame>, Slot)>,
    ids: BTreeMap<String, ServerId>,
    customers: BTreeMap<String, CustomerEntry>,
    /// What people called customers by the version of the inventory.
    names: BTreeMap<u64, BTreeMap<String, String>>,
}

/// A server or pool of which there is a page.
#[derive(Debug, Clone)]
pub struct Subject(Of);

#[derive(Debug, Clone)]
enum Of {
    /// All its revisions, the newest last.
    Filed { newest: Box<Filed>, all: Vec<Filed> },
    /// No statement yet.
    Unit(Box<Unit>),
}

impl Subject {
    fn new(all: Vec<Filed>) -> Option<Self> {
        let newest = all.iter().max_by_key(|filed| filed.statement.revision)?;
        let newest = Box::new(newest.clone());
        (newest.state != State::Withdrawn).then_some(Self(Of::Filed { newest, all }))
    }

    /// The server's id, or the pool's.
    #[must_use]
    pub fn server(&self) -> &str {
        match &self.0 {
            Of::Filed { newest, .. } => &newest.statement.server,
            Of::Unit(unit) => &unit.id,
        }
    }

    /// Who pays.
    #[must_use]
    pub fn customer(&self) -> &str {
        match &self.0 {
            Of::Filed { newest, .. } => &newest.statement.customer,
            Of::Unit(unit) => &unit.customer,
        }
    }

    /// Where it stands; empty for a pool over several regions.
    #[must_use]
    pub fn region(&self) -> &str {
        match &self.0 {
            Of::Filed { newest, .. } => &newest.statement.region,
            Of::Unit(unit) => &unit.region,
        }
    }

    fn statement(&self) -> Option<&Statement> {
        match &self.0 {
            Of::Filed { newest, .. } => Some(&newest.statement),
            Of::Unit(_) => None,
        }
    }
}

impl Source {
    /// What there is of `period` at `now`: of the `servers` and pools, or of all where none is named.
    ///
    /// # Errors
    /// When one of them is not billed in the month, none of its slots has closed yet, or the store can't be read.
    pub async fn load(
        store: &Store,
        period: Month,
        servers: &[String],
        (now, times): (Timestamp, Times),
    ) -> Result<Self, ReportError> {
        let mut filed = Vec::new();
        if servers.is_empty() {
            filed = store.statements(period).await?;
        } else {
            for server in servers.iter().collect::<BTreeSet<_>>() {
                filed.extend(store.statements_of(period, server).await?);
            }
        }
        let mut revisions: BTreeMap<String, Vec<Filed>> = BTreeMap::new();
        for filed in filed {
            revisions.entry(filed.statement.server.clone()).or_default().push(filed);
        }
        let subjects: Vec<Subject> = revisions.into_values().filter_map(Subject::new).collect();
        let mut source = Self {
            store: store.clone(),
            subjects,
            frame: None,
            ids: proof::numbers(store).await?,
            customers: BTreeMap::new(),
            names: BTreeMap::new(),
        };
        let trail = Trail::load(store).await?;
        let has = |server: &String| source.subjects.iter().any(|subject| subject.server() == *server);
        let complete =
            if servers.is_empty() { trail.closed(period).is_some() } else { servers.iter().all(has) };
        if !complete {
            source.draft(period, servers, &trail, (now, times)).await?;
        }
        source.subjects.sort_by(|a, b| a.server().cmp(b.server()));
        source.name().await?;
        Ok(source)
    }

    /// Adds what has no statement yet.
    async fn draft(
        &mut self,
        period: Month,
        servers: &[String],
        trail: &Trail,
        (now, times): (Timestamp, Times),
    ) -> Result<(), ReportError> {
        let facts = Facts::load(&self.store, period, trail).await?;
        let until = facts.frame.month.until.min(Slot::of(now.plus_ms(-times.grace_ms)));
        let billed: BTreeSet<&str> = self
            .subjects
            .iter()
            .filter_map(Subject::statement)
            .flat_map(|statement| statement.members.iter().map(|member| member.server.as_str()))
            .chain(self.subjects.iter().map(Subject::server))
            .collect();
        let units = facts.units()?;
        for server in servers.iter().filter(|server| !billed.contains(server.as_str())) {
            let has = |unit: &&Unit| unit.members.iter().any(|part| part.server == *server);
            match units.iter().find(|unit| unit.id == *server).or_else(|| units.iter().find(has)) {
                Some(unit) if unit.id == *server => {}
                Some(unit) => {
                    let pool = Box::new(Subject(Of::Unit(Box::new(unit.clone()))));
                    return Err(ReportError::InPool { period, server: server.clone(), pool });
                }
                None => return Err(ReportError::Unknown { period, server: server.clone() }),
            }
        }
        let wanted = |unit: &Unit| {
            let named = servers.is_empty() || servers.contains(&unit.id);
            named
                && !billed.contains(unit.id.as_str())
                && !unit.members.iter().any(|part| billed.contains(part.server.as_str()))
        };
        let mut drafted = Vec::new();
        for unit in units.into_iter().filter(wanted) {
            let id = unit.id.clone();
            match unit.before(until) {
                Some(unit) => drafted.push(Subject(Of::Unit(Box::new(unit)))),
                None if servers.is_empty() => {}
                None => return Err(ReportError::Unknown { period, server: id }),
            }
        }
        if drafted.is_empty() && self.subjects.is_empty() {
            return Err(ReportError::NotBegun { period, now: rfc3339(now) });
        }
        self.subjects.append(&mut drafted);
        self.frame = Some((Arc::clone(&facts.frame), until));
        Ok(())
    }

    /// Reads what people call customers, now and when each statement was made.
    async fn name(&mut self) -> Result<(), StoreError> {
        let customers = self.store.customers_of(u64::MAX).await?;
        self.customers = customers.into_iter().map(|customer| (customer.id.clone(), customer)).collect();
        let versions: BTreeSet<u64> = self
            .subjects
            .iter()
            .filter_map(Subject::statement)
            .map(|statement| statement.inventory_version)
            .collect();
        for version in versions {
            let then = self.store.customers_of(version).await?;
            let named = then.into_iter().filter_map(|customer| Some((customer.id, customer.name?)));
            self.names.insert(version, named.collect());
        }
        Ok(())
    }

    /// Of what there are pages, in the order of ids.
    #[must_use]
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// What the first contact of a customer reads of whom that is known.
    #[must_use]
    pub fn language(&self, customer: &str) -> Option<Lang> {
        let contacts = &self.customers.get(customer)?.contacts;
        contacts.iter().find_map(|contact| contact.language).map(Lang::from)
    }

    /// The pages' contents, in order.
    pub fn sheets<'a>(
        &'a self,
        subjects: &'a [&'a Subject],
    ) -> impl Stream<Item = Result<Sheet, ReportError>> + 'a {
        stream::iter(subjects.iter().map(|subject| self.sheet(subject))).buffered(SHEETS_AT_ONCE)
    }

    /// A page's contents.
    ///
    /// # Errors
    /// When the store can't be read, or has other samples than those of the statement.
    pub async fn sheet(&self, subject: &Subject) -> Result<Sheet, ReportError> {
        match &subject.0 {
            Of::Filed { newest, all } => {
                let statement = &newest.statement;
                let samples = samples_by(&self.store, &self.ids, statement).await?;
                let standing = match newest.state {
                    State::Issued => Standing::Issued,
                    State::Held | State::Withdrawn => Standing::UnderReview,
                };
                let names = self.names.get(&statement.inventory_version);
                let name = names.and_then(|names| names.get(&statement.customer)).cloned();
                Ok(Sheet::new(newest, &samples, all, standing, name))
            }
            Of::Unit(unit) => self.preliminary(unit).await,
        }
    }

    async fn preliminary(&self, unit: &Unit) -> Result<Sheet, ReportError> {
        let Some((frame, until)) = &self.frame else {
            return Err(
                StoreError::Contents(format!("{} has neither a statement nor a draft", unit.id)).into()
            );
        };
        let stored = Stored::load(&self.store, frame, std::slice::from_ref(unit)).await?;
        let (mut statement, _) = stored.draft(frame, unit);
        let samples: Vec<Vec<_>> = stored.samples(unit).into_iter().map(<[_]>::to_vec).collect();
        let until = until.start();
        statement.issued_at = Instant(until);
        let filed = Filed::new(State::Held, statement);
        let name = self.customers.get(&unit.customer).and_then(|customer| customer.name.clone());
        Ok(Sheet::new(&filed, &samples, &[], Standing::Preliminary { until }, name))
    }
}
