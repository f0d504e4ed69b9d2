//! All routes: in groups that are open to the same roles and have the same limits.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{self, Access};
use super::idempotency::{self, Keys};
use super::limits::{self, Deadline, Gate};
use super::{
    App, alerts, answer, audit, cases, collectors, dashboard, devices, errors, etag, events, evidence,
    exclusions, exports, headers, health,
};
use super::{
    inventory, metrics, openapi, periods, readings, recent, reports, reviews, revisions, samples, servers,
    session, statements, uplinks, usage,
};
use super::{request_id, what_if};

/// A group of routes, with what is around each of them.
struct Group {
    routes: OpenApiRouter<App>,
    access: Access,
    gate: Gate,
    deadline: Option<Deadline>,
    /// Whether something is done there, once for each `Idempotency-Key`.
    once: Option<(App, Keys)>,
}

impl Group {
    /// The routes with all that, and with what it means for them written in their document.
    fn build(self, app: &App) -> OpenApiRouter<App> {
        let Self { mut routes, access, gate, deadline, once } = self;
        if let Some(deadline) = deadline {
            routes = routes.route_layer(from_fn_with_state(deadline, limits::in_time));
        }
        if let Some(once) = once {
            openapi::keyed(routes.get_openapi_mut());
            routes = routes.route_layer(from_fn_with_state(once, idempotency::once));
        }
        open_to(access, routes.route_layer(from_fn_with_state(gate, limits::pass)), app)
    }
}

/// Routes that are open to nobody but those of `access`, with that in their document.
fn open_to(access: Access, mut routes: OpenApiRouter<App>, app: &App) -> OpenApiRouter<App> {
    openapi::guard(routes.get_openapi_mut(), access);
    routes.route_layer(from_fn_with_state((app.clone(), access), access::admit))
}

/// All of them, as [`super::router`].
pub(super) fn routes(app: App) -> Router {
    let soon = Some(Deadline(limits::REQUEST_TIME_MAX));
    let requests = Gate::for_requests();
    let figures = Group {
        routes: OpenApiRouter::new()
            .routes(routes!(servers::list))
            .routes(routes!(servers::one))
            .routes(routes!(samples::list))
            .routes(routes!(recent::list))
            .routes(routes!(usage::month))
            .routes(routes!(statements::one))
            .routes(routes!(statements::explanation))
            .routes(routes!(cases::list))
            .routes(routes!(cases::one))
            .routes(routes!(cases::snippet))
            .routes(routes!(cases::recommendations)),
        access: access::FIGURES,
        gate: requests.clone(),
        deadline: soon,
        once: None,
    };
    let site = Group {
        routes: OpenApiRouter::new()
            .routes(routes!(uplinks::list))
            .routes(routes!(devices::list))
            .routes(routes!(devices::one))
            .routes(routes!(collectors::list))
            .routes(routes!(alerts::list))
            .routes(routes!(alerts::deliveries))
            .routes(routes!(inventory::show))
            .routes(routes!(inventory::history))
            .routes(routes!(periods::show))
            .routes(routes!(exclusions::list)),
        access: access::SITE,
        gate: requests.clone(),
        deadline: soon,
        once: None,
    };
    let audited = Group {
        routes: OpenApiRouter::new().routes(routes!(audit::list)),
        access: access::ADMINS,
        gate: requests,
        deadline: soon,
        once: None,
    };
    let slow = Some(Deadline(limits::MONTH_TIME_MAX));
    let whole_months = Gate::for_months();
    let months = Group {
        routes: OpenApiRouter::new()
            .routes(routes!(statements::list))
            .routes(routes!(statements::bundle))
            .routes(routes!(reports::page))
            .routes(routes!(exports::lines))
            .routes(routes!(exports::summary)),
        access: access::FIGURES,
        gate: whole_months.clone(),
        deadline: slow,
        once: None,
    };
    let site_months = Group {
        routes: OpenApiRouter::new()
            .routes(routes!(reviews::list))
            .routes(routes!(what_if::compare))
            .routes(routes!(evidence::pack)),
        access: access::SITE,
        gate: whole_months,
        deadline: slow,
        once: None,
    };
    // Without a deadline of the router's: what is done goes on when nobody waits any longer.
    let acts = Gate::for_acts();
    let once = Some((app.clone(), Keys::default()));
    let closing = Group {
        routes: OpenApiRouter::new()
            .routes(routes!(periods::close))
            .routes(routes!(reviews::approve))
            .routes(routes!(revisions::revise)),
        access: access::BILLING,
        gate: acts.clone(),
        deadline: None,
        once: once.clone(),
    };
    let incidents = Group {
        routes: OpenApiRouter::new()
            .routes(routes!(exclusions::declare))
            .routes(routes!(exclusions::withdraw)),
        access: access::INCIDENTS,
        gate: acts.clone(),
        deadline: None,
        once: once.clone(),
    };
    let steps = Group {
        routes: OpenApiRouter::new()
            .routes(routes!(cases::apply))
            .routes(routes!(cases::snooze))
            .routes(routes!(cases::attempt))
            .routes(routes!(cases::act)),
        access: access::CASES,
        gate: acts,
        deadline: None,
        once: once.clone(),
    };
    let changes = Group {
        routes: OpenApiRouter::new().routes(routes!(inventory::replace)),
        access: access::ADMINS,
        gate: Gate::for_inventories(),
        deadline: Some(Deadline(limits::INVENTORY_TIME_MAX)),
        once: None,
    };
    let shipped = Group {
        routes: OpenApiRouter::new().routes(routes!(readings::take)),
        access: access::COLLECTORS,
        gate: Gate::for_readings(),
        deadline: Some(Deadline(limits::READINGS_TIME_MAX)),
        once: None,
    };
    // Never turned away: a service under load must not look dead.
    let mut operation = OpenApiRouter::new().routes(routes!(health::alive)).routes(routes!(health::ready));
    openapi::refusing(operation.get_openapi_mut());
    let measured = open_to(access::SITE, OpenApiRouter::new().routes(routes!(metrics::render)), &app);
    let mut entrance = OpenApiRouter::new().routes(routes!(session::log_in)).routes(routes!(session::show));
    openapi::refusing(entrance.get_openapi_mut());
    let exit = open_to(access::KNOWN, OpenApiRouter::new().routes(routes!(session::log_out)), &app);
    // Without a deadline and a place at the gate: a stream goes on, and there are few.
    let events = open_to(access::KNOWN, OpenApiRouter::new().routes(routes!(events::listen)), &app);
    let operation = [measured, entrance, exit, events].into_iter().fold(operation, OpenApiRouter::merge);
    let groups = [figures, site, audited, months, site_months, closing, incidents, steps, changes, shipped];
    let all = groups.map(|group| group.build(&app)).into_iter().fold(operation, OpenApiRouter::merge);
    let (router, document) = OpenApiRouter::with_openapi(openapi::frame()).merge(all).split_for_parts();
    let router = router
        .merge(openapi::serve(document))
        .route("/", get(dashboard::index))
        .route("/docs", get(dashboard::docs))
        .fallback(dashboard::file)
        .method_not_allowed_fallback(errors::wrong_method)
        .layer(from_fn_with_state(app.clone(), access::identify))
        .layer(from_fn(metrics::observe))
        .layer(from_fn(request_id::give))
        .layer(from_fn(etag::tagged))
        .layer(CompressionLayer::new())
        .layer(from_fn(headers::add))
        .with_state(app);
    answer::with_suffix(router)
}
