//! `/v1/cases`: servers that use far more than they should, and what is done about them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::access::{By, Via};
use super::body::{Said, Who, Why, by, reason};
use super::errors::ApiError;
use super::periods::carried_out;
use super::query::{At, Nothing, Query};
use super::schema::{Ordinal, When};
use crate::access::Caller;
use crate::audit::{Act, Origin, action};
use crate::closing::desk::Word;
use crate::inventory::instant::Instant;
use crate::metering::units::Bps;
use crate::throttle::case::{self, Case};
use crate::throttle::desk::{CaseError, Filter};
use crate::throttle::snippet::{self, Wanted};
use crate::throttle::step::{Attempt, Channel, Outcome, SERVICE};
use crate::throttle::view::{Recommended, Shown, cut, told};

/// The answer of `GET /v1/cases`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cases)]
pub(super) struct Listed<'a> {
    cases: Vec<Shown<'a>>,
}

/// The answer of `GET /v1/recommendations`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Recommendations<'a> {
    recommendations: Vec<Recommended<'a>>,
}

/// Which cases.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Those that stand so.
    #[param(inline)]
    state: Option<case::State>,
    /// Those that have not ended, or those that have.
    open: Option<bool>,
    /// Those of a server.
    server: Option<String>,
    /// Those of a customer.
    customer: Option<String>,
    /// Those of a region.
    region: Option<String>,
}

/// A case.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OfCase {
    /// Its number.
    #[param(value_type = Ordinal)]
    n: u64,
}

/// What is done to a case.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OfStep {
    /// The case's number.
    #[param(value_type = Ordinal)]
    n: u64,
    /// What is done.
    #[param(inline)]
    action: Action,
}

/// What can be done to a case by saying no more than why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CaseAction)]
pub(super) enum Action {
    /// The customer was told.
    Notify,
    /// The recommended limit may be set.
    Approve,
    /// The limit was taken off.
    Lift,
    /// There is nothing to be done.
    Dismiss,
    /// What had ended goes on.
    Reopen,
    /// It is not to wait any longer.
    Wake,
    /// Something is to be kept in mind.
    Note,
    /// The customer has answered.
    Answer,
}

impl Action {
    /// The word under which it is asked for.
    fn name(self) -> &'static str {
        match self {
            Self::Notify => "notify",
            Self::Approve => "approve",
            Self::Lift => "lift",
            Self::Dismiss => "dismiss",
            Self::Reopen => "reopen",
            Self::Wake => "wake",
            Self::Note => "note",
            Self::Answer => "answer",
        }
    }
}

/// Why a step is taken.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CaseStep)]
pub(super) struct Plain {
    /// By whom it is done; the token's name unless given.
    by: Option<Who>,
    /// Why.
    why: Why,
}

/// That the limit was set; what is not given is as recommended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CaseApply)]
pub(super) struct Apply {
    /// By whom it is done; the token's name unless given.
    by: Option<Who>,
    /// Why.
    why: Why,
    /// To what the server is limited, in bit/s.
    cap_bps: Option<Bps>,
    /// Until when.
    #[schema(value_type = Option<When>)]
    until: Option<Instant>,
}

/// That a case is to wait.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CaseSnooze)]
pub(super) struct Snooze {
    /// By whom it is done; the token's name unless given.
    by: Option<Who>,
    /// Why.
    why: Why,
    /// Until when.
    #[schema(value_type = When)]
    until: Instant,
}

/// That somebody tried to reach the customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CaseAttempt)]
pub(super) struct Attempted {
    /// By whom it is done; the token's name unless given.
    by: Option<Who>,
    /// Why.
    why: Why,
    /// The newest unless given.
    #[schema(value_type = Option<Ordinal>)]
    round: Option<u32>,
    /// Somebody who is none of the customer's contacts unless given; the first is 1.
    #[serde(default)]
    #[schema(value_type = Ordinal)]
    contact: u32,
    /// The contact's name in the inventory unless given.
    name: Option<String>,
    channel: Channel,
    outcome: Outcome,
    #[serde(default)]
    detail: String,
}

/// For which device, and what for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct AskedSnippet {
    /// The kind of device: `tc`, `ios`, `junos`, `eos`, or the name of a template of one's own.
    #[serde(rename = "for")]
    #[param(required = true)]
    kind: Option<String>,
    /// What takes the limit off again.
    lift: bool,
    /// Interfaces by other names than the inventory's, with commas between.
    interface: Option<String>,
}

/// Servers that use far more than they should, the newest first
///
/// Those that have not ended or had a step in the last 90 days; of one server all that there ever were.
#[utoipa::path(get, path = "/v1/cases", tag = "Cases", params(Asked), responses((status = 200, body = Listed<'_>)))]
pub(super) async fn list(
    State(app): State<App>,
    By(caller): By,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let Asked { state, open, server, customer, region } = asked;
    let filter = Filter { state, open, server, customer, region };
    let mut cases = match &filter.server {
        Some(server) => {
            let mut all = app.cases.of_server(server).await?;
            all.retain(|case| filter.takes(case));
            all.reverse();
            all
        }
        None => app.cases.list(&filter).await?,
    };
    cases.retain(|case| sees(&caller, case));
    let cases = cases.iter().map(|case| Shown::brief(case)).collect();
    Ok(Json(Listed { cases }).into_response())
}

/// Everything about a case
#[utoipa::path(get, path = "/v1/cases/{n}", tag = "Cases", params(OfCase), responses((status = 200, body = Shown<'_>)))]
pub(super) async fn one(
    State(app): State<App>,
    By(caller): By,
    At(OfCase { n }): At<OfCase>,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Response, ApiError> {
    let case = seen(&app, &caller, known(&app, &caller, n).await?);
    Ok(Json(Shown::whole(&case)).into_response())
}

/// What is recommended for servers of which a case has not ended, the newest first
#[utoipa::path(
    get, path = "/v1/recommendations", tag = "Cases", responses((status = 200, body = Recommendations<'_>))
)]
pub(super) async fn recommendations(
    State(app): State<App>,
    By(caller): By,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Response, ApiError> {
    let mut cases = app.cases.list(&Filter { open: Some(true), ..Filter::default() }).await?;
    cases.retain(|case| sees(&caller, case));
    let cases: Vec<Arc<Case>> = cases.into_iter().map(|case| seen(&app, &caller, case)).collect();
    let recommendations = cases.iter().map(Recommended::of).collect();
    Ok(Json(Recommendations { recommendations }).into_response())
}

/// The configuration that limits the server, or takes the limit off
#[utoipa::path(
    get, path = "/v1/cases/{n}/snippet", tag = "Cases", params(OfCase, AskedSnippet),
    responses((status = 200, body = String, content_type = "text/plain"))
)]
pub(super) async fn snippet(
    State(app): State<App>,
    By(caller): By,
    At(OfCase { n }): At<OfCase>,
    Query(AskedSnippet { kind, lift, interface }): Query<AskedSnippet>,
) -> Result<Response, ApiError> {
    let Some(kind) = kind else {
        let says = format!("say for which kind of device: {}", app.templates.kinds().join(", "));
        return Err(ApiError::Field { field: "for".to_owned(), value: None, says });
    };
    let case = known(&app, &caller, n).await?;
    let text = {
        let live = app.live.read();
        let server = live.inventory().servers.get(case.server());
        let server = server.ok_or_else(|| ApiError::UnknownServer(case.server().to_owned()))?;
        let now = (app.now)();
        let bindings: Vec<_> = server.ports.iter().filter(|binding| binding.holds_at(now)).collect();
        let interfaces: Vec<String> =
            interface.map_or_else(Vec::new, |names| names.split(',').map(str::to_owned).collect());
        snippet::render(
            &app.templates,
            &case,
            &bindings,
            Wanted { kind: &kind, lift, interfaces: &interfaces },
        )?
    };
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// Takes a step, and tells the case as it stands then
#[utoipa::path(
    post, path = "/v1/cases/{n}/{action}", tag = "Cases", params(OfStep), request_body = Plain,
    responses((status = 200, body = Shown<'_>))
)]
pub(super) async fn act(
    State(app): State<App>,
    By(caller): By,
    Via(origin): Via,
    At(OfStep { n, action }): At<OfStep>,
    Query(Nothing {}): Query<Nothing>,
    Said(Plain { by, why }): Said<Plain>,
) -> Result<Response, ApiError> {
    let case = known(&app, &caller, n).await?;
    let (cases, word) = (app.cases.clone(), word(&app, &caller, by, why)?);
    let name = action.name();
    step(&app, &caller, origin, &case, name, word, move |word| async move {
        match action {
            Action::Notify => cases.notify(n, &word).await,
            Action::Approve => cases.approve(n, &word).await,
            Action::Lift => cases.lift(n, &word).await,
            Action::Dismiss => cases.dismiss(n, &word).await,
            Action::Reopen => cases.reopen(n, &word).await,
            Action::Wake => cases.wake(n, &word).await,
            Action::Note => cases.note(n, &word).await,
            Action::Answer => cases.answered(n, &word).await,
        }
    })
    .await
}

/// Notes that the limit was set
#[utoipa::path(
    post, path = "/v1/cases/{n}/apply", tag = "Cases", params(OfCase), request_body = Apply,
    responses((status = 200, body = Shown<'_>))
)]
pub(super) async fn apply(
    State(app): State<App>,
    By(caller): By,
    Via(origin): Via,
    At(OfCase { n }): At<OfCase>,
    Query(Nothing {}): Query<Nothing>,
    Said(Apply { by, why, cap_bps, until }): Said<Apply>,
) -> Result<Response, ApiError> {
    let case = known(&app, &caller, n).await?;
    let (cases, word) = (app.cases.clone(), word(&app, &caller, by, why)?);
    let apply = |word| async move { cases.apply(n, cap_bps, until, &word).await };
    step(&app, &caller, origin, &case, "apply", word, apply).await
}

/// Lets a case wait
#[utoipa::path(
    post, path = "/v1/cases/{n}/snooze", tag = "Cases", params(OfCase), request_body = Snooze,
    responses((status = 200, body = Shown<'_>))
)]
pub(super) async fn snooze(
    State(app): State<App>,
    By(caller): By,
    Via(origin): Via,
    At(OfCase { n }): At<OfCase>,
    Query(Nothing {}): Query<Nothing>,
    Said(Snooze { by, why, until }): Said<Snooze>,
) -> Result<Response, ApiError> {
    let case = known(&app, &caller, n).await?;
    let (cases, word) = (app.cases.clone(), word(&app, &caller, by, why)?);
    step(
        &app,
        &caller,
        origin,
        &case,
        "snooze",
        word,
        |word| async move { cases.snooze(n, until, &word).await },
    )
    .await
}

/// Notes that somebody tried to reach the customer
#[utoipa::path(
    post, path = "/v1/cases/{n}/attempt", tag = "Cases", params(OfCase), request_body = Attempted,
    responses((status = 200, body = Shown<'_>))
)]
pub(super) async fn attempt(
    State(app): State<App>,
    By(caller): By,
    Via(origin): Via,
    At(OfCase { n }): At<OfCase>,
    Query(Nothing {}): Query<Nothing>,
    Said(attempted): Said<Attempted>,
) -> Result<Response, ApiError> {
    let Attempted { by, why, round, contact, name, channel, outcome, detail } = attempted;
    let case = known(&app, &caller, n).await?;
    let word = word(&app, &caller, by, why)?;
    let name = match name {
        Some(name) => name,
        None => contact_name(&app, &case, contact)?,
    };
    let round = round.unwrap_or_else(|| case.round());
    let attempt = Attempt { round, contact, name, channel, outcome, detail };
    let cases = app.cases.clone();
    step(&app, &caller, origin, &case, "attempt", word, |word| async move {
        cases.attempt(n, attempt, &word).await
    })
    .await
}

/// Takes a step whether or not anybody waits for it, and tells the case as it stands after it.
async fn step<F>(
    app: &App,
    caller: &Caller,
    origin: Origin,
    before: &Case,
    name: &str,
    word: Word,
    take: impl FnOnce(Word) -> F,
) -> Result<Response, ApiError>
where
    F: Future<Output = Result<Arc<Case>, CaseError>> + Send + 'static,
{
    let act = Act::new(format!("{}{name}", action::CASE), before.id).by(&word.by);
    let act = act.before(json!({ "state": before.state, "server": before.server(), "why": word.reason }));
    let (audit, taking) = (app.audit.clone(), take(word));
    let taken = carried_out(app, async move { audit.act(&origin, act, taking, |case| told(case)).await });
    let case = taken.await?;
    if let Some(step) = case.last_step() {
        let (case, number, by) = (case.id, step.number, step.by.as_str());
        tracing::info!(case, step = number, by, "step of a case was taken over the API");
    }
    Ok(Json(Shown::whole(&seen(app, caller, case))).into_response())
}

/// What a caller sees of a case that they see.
fn seen(app: &App, caller: &Caller, case: Arc<Case>) -> Arc<Case> {
    if caller.limit.is_none() {
        return case;
    }
    let live = app.live.read();
    let servers = &live.inventory().servers;
    let sees = |id: &str| servers.get(id).is_some_and(|one| caller.sees(&one.customer, &one.region));
    Arc::new(cut(&case, |customer, region| caller.sees(customer, region), sees))
}

/// The case of a number.
///
/// # Errors
/// When there is none that the caller sees.
async fn known(app: &App, caller: &Caller, n: u64) -> Result<Arc<Case>, ApiError> {
    let case = app.cases.get(n).await?;
    if sees(caller, &case) { Ok(case) } else { Err(CaseError::Unknown(n).into()) }
}

fn sees(caller: &Caller, case: &Case) -> bool {
    caller.sees(&case.recommendation.customer, &case.recommendation.region)
}

/// Who acts and why.
fn word(app: &App, caller: &Caller, name: Option<Who>, why: Why) -> Result<Word, ApiError> {
    let by = by(caller, name)?;
    if by == SERVICE {
        return Err(ApiError::field("by", &by, "this is the service's own name; say yours"));
    }
    Ok(Word { by, now: (app.now)(), reason: reason("why", why)? })
}

/// The name of one of the customer's contacts.
fn contact_name(app: &App, case: &Case, contact: u32) -> Result<String, ApiError> {
    let live = app.live.read();
    let contacts = live.inventory().customers.get(&case.recommendation.customer);
    let contacts = contacts.map(|customer| customer.contacts.as_slice()).unwrap_or_default();
    let at = usize::try_from(contact).unwrap_or(usize::MAX).checked_sub(1);
    let found = at.and_then(|at| contacts.get(at)).map(|contact| contact.name.clone());
    found.ok_or_else(|| {
        let says = format!(
            "the customer has {} contacts, counted from 1; say the name of anybody else",
            contacts.len()
        );
        ApiError::field("contact", &contact.to_string(), says)
    })
}
