//! The one door to what is written about cases: one act at a time for a data directory, whoever takes it, the service,
//! the API or the command line in another process. [`steps`] are what people and the service do, a [`book`] is what is
//! known of cases, [`news`] what was done since somebody last asked.

mod book;
mod news;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use meter95_reading::Timestamp;
use tokio_util::task::TaskTracker;

use super::case::{Case, State};
use super::recommendation::Recommendation;
use super::step::{Body, SERVICE, Step, StepError};
use crate::closing::desk::Word;
use crate::inventory::instant::Instant;
use crate::metering::throttle::Rule;
use crate::signal::Signal;
use crate::store::connection::{Store, StoreError};
use crate::store::engine::lock::Lock;
use book::Book;

/// The file whose lock is held during an act.
const LOCK: &str = "throttle.lock";

/// How long an act waits for another one's end; each takes some tens of milliseconds.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(10);

/// The pause between two looks at the lock.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Steps that were taken, by kind.
const STEPS: &str = "meter95_case_steps_total";

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The step can't be taken.
    #[error(transparent)]
    Step(#[from] StepError),
    /// There is no such case.
    #[error("there is no case {0}")]
    Unknown(u64),
    /// A server has one open case at most.
    #[error("server {server:?} has an open case already, {case}: go on with that one")]
    OpenAlready {
        /// The server.
        server: String,
        /// Its open case.
        case: u64,
    },
    /// Another act does not end.
    #[error("another act on cases has not ended for {} s; try again in a moment", LOCK_WAIT_MAX.as_secs())]
    Busy,
    /// The lock's file can't be used.
    #[error("can't use {0}")]
    DataDir(PathBuf, #[source] std::io::Error),
    /// The act broke off.
    #[error("the act broke off; look at the case before trying again")]
    BrokenOff,
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which cases are asked for; everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those that stand so.
    pub state: Option<State>,
    /// Those that have not ended, or those that have.
    pub open: Option<bool>,
    /// Those of a server.
    pub server: Option<String>,
    /// Those of a customer.
    pub customer: Option<String>,
    /// Those of a region.
    pub region: Option<String>,
}

/// What the rules found when a slot had closed.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// Rules began to hold, and the server has no open case.
    Opens {
        /// The slot, by its first instant.
        slot: Instant,
        /// What is recommended.
        recommendation: Box<Recommendation>,
    },
    /// Another rule began to hold.
    Fires {
        /// The case.
        case: u64,
        /// The rule.
        rule: Rule,
        /// The slot, by its first instant.
        slot: Instant,
        /// What is recommended now.
        recommendation: Box<Recommendation>,
    },
    /// A rule was let go.
    Releases {
        /// The case.
        case: u64,
        /// The rule.
        rule: Rule,
        /// The slot, by its first instant.
        slot: Instant,
    },
    /// No rule has held for long enough.
    Resolves {
        /// The case.
        case: u64,
        /// The slot after which that was found, by its first instant.
        slot: Instant,
    },
}

/// What somebody wants done; several things all or none.
struct Wish {
    /// `None`: a case that is not there yet.
    case: Option<u64>,
    word: Word,
    bodies: Vec<Body>,
}

/// Steps that are to be written, and what they make of the cases.
#[derive(Default)]
struct Draft {
    steps: Vec<(Step, String)>,
    cases: BTreeMap<u64, Case>,
}

/// Where cases are kept. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub struct Cases {
    store: Store,
    lock: PathBuf,
    book: Arc<Mutex<Book>>,
    /// Held by whoever of this process acts.
    acting: Arc<tokio::sync::Mutex<()>>,
    acts: TaskTracker,
    changed: Signal,
}

impl Filter {
    /// Whether a case is one of those.
    #[must_use]
    pub fn takes(&self, case: &Case) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        let Recommendation { server, customer, region, .. } = &*case.recommendation;
        self.state.is_none_or(|state| state == case.state)
            && self.open.is_none_or(|open| open != case.state.is_over())
            && is(&self.server, server)
            && is(&self.customer, customer)
            && is(&self.region, region)
    }
}

impl Cases {
    /// The cases of a data directory; reads nothing yet.
    #[must_use]
    pub fn new(store: Store, data_dir: &Path) -> Self {
        Self {
            store,
            lock: data_dir.join(LOCK),
            book: Arc::default(),
            acting: Arc::default(),
            acts: TaskTracker::new(),
            changed: Signal::default(),
        }
    }

    /// Says that a step was taken: at once where it was here, and with the next look where it was taken by another
    /// process.
    #[must_use]
    pub fn changed(&self) -> &Signal {
        &self.changed
    }

    /// Returns when every act under way has ended.
    pub async fn stop(&self) {
        self.acts.close();
        self.acts.wait().await;
    }

    /// Those of the cases that have not ended, or had a step in the last 90 days, that are asked for; the newest first.
    /// [`Cases::of_server`] has older ones.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<Arc<Case>>, CaseError> {
        self.refresh().await?;
        let book = self.book();
        Ok(book.cases().rev().filter(|case| filter.takes(case)).cloned().collect())
    }

    /// A case, however old it is.
    ///
    /// # Errors
    /// When there is none of this number, or the store can't be read.
    pub async fn get(&self, id: u64) -> Result<Arc<Case>, CaseError> {
        self.refresh().await?;
        self.known(id).await
    }

    /// The open case of a server, if it has one.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn open_of(&self, server: &str) -> Result<Option<Arc<Case>>, CaseError> {
        self.refresh().await?;
        Ok(self.book().open_of(server).cloned())
    }

    /// Every case that a server ever had, in the order of their numbers.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn of_server(&self, server: &str) -> Result<Vec<Arc<Case>>, CaseError> {
        let mut book = Book::default();
        self.store.case_steps_of_server(server).await?.into_iter().for_each(|step| book.learn(step));
        Ok(book.cases().cloned().collect())
    }

    /// Writes what the rules found, all of it at once. For each observation, in their order, the case as it stands then,
    /// or why that one was refused.
    ///
    /// # Errors
    /// When nothing could be written.
    pub async fn observe(
        &self,
        observations: Vec<Observation>,
        now: Timestamp,
    ) -> Result<Vec<Result<Arc<Case>, CaseError>>, CaseError> {
        self.act(observations.into_iter().map(|observation| Wish::observed(observation, now)).collect()).await
    }

    async fn take(&self, case: u64, word: &Word, body: Body) -> Result<Arc<Case>, CaseError> {
        self.one(case, word, vec![body]).await
    }

    async fn one(&self, case: u64, word: &Word, bodies: Vec<Body>) -> Result<Arc<Case>, CaseError> {
        let wish = Wish { case: Some(case), word: word.clone(), bodies };
        self.act(vec![wish]).await?.pop().unwrap_or(Err(CaseError::BrokenOff))
    }

    /// Acts to the end, whether or not anybody waits for it: whoever is cut off between writing and knowing would give
    /// a number twice.
    async fn act(&self, wishes: Vec<Wish>) -> Result<Vec<Result<Arc<Case>, CaseError>>, CaseError> {
        if wishes.is_empty() {
            return Ok(Vec::new());
        }
        let cases = self.clone();
        let act = self.acts.spawn(async move { cases.act_now(wishes).await });
        act.await.unwrap_or(Err(CaseError::BrokenOff))
    }

    async fn act_now(&self, wishes: Vec<Wish>) -> Result<Vec<Result<Arc<Case>, CaseError>>, CaseError> {
        let _acting = self.acting.lock().await;
        let _lock = self.take_lock().await?;
        self.refresh().await?;
        let mut draft = Draft::default();
        let mut drafted: Vec<Result<u64, CaseError>> = Vec::with_capacity(wishes.len());
        for wish in wishes {
            drafted.push(self.draft(&mut draft, wish).await);
        }
        self.write(&draft).await?;
        for (step, _) in &draft.steps {
            metrics::counter!(STEPS, "kind" => step.body.kind().name()).increment(1);
        }
        let book = self.book();
        let case = |id| book.get(id).cloned().ok_or(CaseError::Unknown(id));
        Ok(drafted.into_iter().map(|id| id.and_then(case)).collect())
    }

    /// Adds what is wished to the draft, and tells the case; a wish that is refused leaves the draft as it is.
    async fn draft(&self, draft: &mut Draft, wish: Wish) -> Result<u64, CaseError> {
        let Wish { case: wanted, word, bodies } = wish;
        let before = match wanted {
            None => None,
            Some(id) => match draft.cases.get(&id) {
                Some(case) => Some(case.clone()),
                None => Some((*self.known(id).await?).clone()),
            },
        };
        let (serial, last_case) = self.book().numbers();
        let serial = draft.steps.last().map_or(serial, |(step, _)| step.serial);
        let last_case = draft.cases.keys().next_back().map_or(last_case, |id| last_case.max(*id));
        let id = wanted.unwrap_or(last_case + 1);
        let (mut case, mut steps) = (before, Vec::new());
        for (body, serial) in bodies.into_iter().zip(serial + 1..) {
            let number = case.as_ref().map_or(1, Case::next_number);
            let Word { by, now: at, reason: why } = word.clone();
            let step = Step { case: id, number, serial, at, by, why, body };
            match &mut case {
                Some(case) => case.take(step.clone())?,
                None => case = Some(Case::open(step.clone())?),
            }
            steps.push(step);
        }
        let Some(case) = case else { return Err(CaseError::Unknown(id)) };
        if !case.state.is_over()
            && let Some(other) = self.other_open(draft, &case)
        {
            return Err(CaseError::OpenAlready { server: case.server().to_owned(), case: other });
        }
        let server = case.server().to_owned();
        draft.steps.extend(steps.into_iter().map(|step| (step, server.clone())));
        draft.cases.insert(id, case);
        Ok(id)
    }

    /// Another open case of the same server, as the draft leaves things.
    fn other_open(&self, draft: &Draft, case: &Case) -> Option<u64> {
        let other =
            |other: &Case| other.id != case.id && other.server() == case.server() && !other.state.is_over();
        let drafted = draft.cases.values().find(|drafted| other(drafted)).map(|other| other.id);
        let book = self.book();
        let kept = book.open_of(case.server()).filter(|kept| !draft.cases.contains_key(&kept.id));
        drafted.or_else(|| kept.filter(|kept| other(kept)).map(|kept| kept.id))
    }

    async fn write(&self, draft: &Draft) -> Result<(), CaseError> {
        let Some((last, _)) = draft.steps.last() else { return Ok(()) };
        if let Err(error) = self.store.put_case_steps(&draft.steps).await {
            // An answer that got lost says nothing about what was written.
            self.refresh().await?;
            let book = self.book();
            let written = book.get(last.case).and_then(|case| case.last_step());
            if written == Some(last) { Ok(()) } else { Err(error.into()) }
        } else {
            let mut book = self.book();
            // Before a case that was read from the store for this act goes on.
            for case in draft.cases.values() {
                book.put(case.clone());
            }
            book.written(last.serial);
            self.changed.reach(last.serial);
            Ok(())
        }
    }

    /// Learns what others wrote since.
    async fn refresh(&self) -> Result<(), CaseError> {
        let known = self.book().known();
        let (steps, numbers) = match known {
            Some(serial) => (self.store.case_steps(serial).await?, None),
            None => {
                // In this order: a step that comes in between is of a case in mind, and read.
                let numbers = self.store.case_numbers().await?;
                (self.store.case_steps_in_mind(book::KEEP_MS).await?, Some(numbers))
            }
        };
        let strange: BTreeSet<u64> = {
            let mut book = self.book();
            if let Some((serial, case)) = numbers {
                steps.into_iter().for_each(|step| book.learn(step));
                book.begin(serial, case);
                self.changed.reach(book.numbers().0);
                return Ok(());
            }
            let opened: BTreeSet<u64> =
                steps.iter().filter(|step| step.number == 1).map(|step| step.case).collect();
            let strange = steps.iter().map(|step| step.case);
            let strange: BTreeSet<u64> =
                strange.filter(|id| book.get(*id).is_none() && !opened.contains(id)).collect();
            let (_, familiar): (Vec<Step>, Vec<Step>) =
                steps.into_iter().partition(|step| strange.contains(&step.case));
            familiar.into_iter().for_each(|step| book.learn(step));
            strange
        };
        // Somebody has gone on with a case that ended long ago.
        for id in strange {
            let case = self.known(id).await?;
            self.book().put((*case).clone());
        }
        let mut book = self.book();
        book.forget();
        self.changed.reach(book.numbers().0);
        Ok(())
    }

    /// A case of the book, or of the store.
    async fn known(&self, id: u64) -> Result<Arc<Case>, CaseError> {
        if let Some(case) = self.book().get(id) {
            return Ok(case.clone());
        }
        let mut one = Book::default();
        self.store.case_steps_of(id).await?.into_iter().for_each(|step| one.learn(step));
        one.get(id).cloned().ok_or(CaseError::Unknown(id))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take_lock(&self) -> Result<Lock, CaseError> {
        let using = |e| CaseError::DataDir(self.lock.clone(), e);
        if let Some(folder) = self.lock.parent() {
            std::fs::create_dir_all(folder).map_err(using)?;
        }
        let started = tokio::time::Instant::now();
        loop {
            if let Some(lock) = Lock::try_take(&self.lock).map_err(using)? {
                return Ok(lock);
            }
            if started.elapsed() > LOCK_WAIT_MAX {
                return Err(CaseError::Busy);
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
    }
}

impl Wish {
    fn observed(observation: Observation, now: Timestamp) -> Self {
        let (case, why, body) = match observation {
            Observation::Opens { slot, recommendation } => {
                let rules: Vec<&str> = recommendation.held().map(Rule::name).collect();
                let why = format!("began to hold: {}", rules.join(", "));
                (None, why, Body::Opened { slot, recommendation })
            }
            Observation::Fires { case, rule, slot, recommendation } => {
                let why = format!("began to hold: {}", rule.name());
                (Some(case), why, Body::Fired { rule, slot, recommendation })
            }
            Observation::Releases { case, rule, slot } => {
                (Some(case), format!("no longer holds: {}", rule.name()), Body::Released { rule, slot })
            }
            Observation::Resolves { case, slot } => {
                (Some(case), "no rule has held for long enough".to_owned(), Body::Resolved { slot })
            }
        };
        Self { case, word: by_service(&why, now), bodies: vec![body] }
    }
}

/// What the service does by itself.
#[must_use]
pub fn by_service(why: &str, now: Timestamp) -> Word {
    Word { by: SERVICE.to_owned(), now, reason: why.to_owned() }
}
