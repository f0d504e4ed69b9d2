//! All routes: in groups that are open to the same roles and have the same limits.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::routing::get;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{self, Access};
use super::limits::{self, Deadline, Gate};
use super::what_if;
use super::{
    App, alerts, answer, cases, collectors, dashboard, errors, etag, evidence, exclusions, exports, headers,
    health,
};
use super::{
    inventory, metrics, openapi, periods, readings, reviews, revisions, samples, servers, statements, usage,
};

/// A group of routes, with what is around each of them.
struct Group {
    routes: OpenApiRouter<App>,
    access: Access,
    gate: Gate,
    deadline: Option<Deadline>,
}

impl Group {
    /// The routes with all that, and with what it means for them written in their document.
    fn build(self) -> OpenApiRouter<App> {
        let Self { mut routes, access, gate, deadline } = self;
        openapi::guard(routes.get_openapi_mut(), access);
        if let Some(deadline) = deadline {
            routes = routes.route_layer(from_fn_with_state(deadline, limits::in_time));
        }
        routes
            .route_layer(from_fn_with_state(gate, limits::pass))
            .route_layer(from_fn_with_state(access, access::admit))
    }
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
    };
    let site = Group {
        routes: OpenApiRouter::new()
            .routes(routes!(collectors::list))
            .routes(routes!(alerts::list))
            .routes(routes!(alerts::deliveries))
            .routes(routes!(inventory::show))
            .routes(routes!(inventory::history))
            .routes(routes!(periods::show))
            .routes(routes!(exclusions::list)),
        access: access::SITE,
        gate: requests,
        deadline: soon,
    };
    let slow = Some(Deadline(limits::MONTH_TIME_MAX));
    let whole_months = Gate::for_months();
    let months = Group {
        routes: OpenApiRouter::new()
            .routes(routes!(statements::list))
            .routes(routes!(statements::bundle))
            .routes(routes!(exports::lines))
            .routes(routes!(exports::summary)),
        access: access::FIGURES,
        gate: whole_months.clone(),
        deadline: slow,
    };
    let site_months = Group {
        routes: OpenApiRouter::new()
            .routes(routes!(reviews::list))
            .routes(routes!(what_if::compare))
            .routes(routes!(evidence::pack)),
        access: access::SITE,
        gate: whole_months,
        deadline: slow,
    };
    // Without a deadline of the router's: what is done goes on when nobody waits any longer.
    let acts = Gate::for_acts();
    let closing = Group {
        routes: OpenApiRouter::new()
            .routes(routes!(periods::close))
            .routes(routes!(reviews::approve))
            .routes(routes!(revisions::revise)),
        access: access::BILLING,
        gate: acts.clone(),
        deadline: None,
    };
    let incidents = Group {
        routes: OpenApiRouter::new()
            .routes(routes!(exclusions::declare))
            .routes(routes!(exclusions::withdraw)),
        access: access::INCIDENTS,
        gate: acts.clone(),
        deadline: None,
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
    };
    let changes = Group {
        routes: OpenApiRouter::new().routes(routes!(inventory::replace)),
        access: access::ADMINS,
        gate: Gate::for_inventories(),
        deadline: Some(Deadline(limits::INVENTORY_TIME_MAX)),
    };
    let shipped = Group {
        routes: OpenApiRouter::new().routes(routes!(readings::take)),
        access: access::COLLECTORS,
        gate: Gate::for_readings(),
        deadline: Some(Deadline(limits::READINGS_TIME_MAX)),
    };
    // Never turned away: a service under load must not look dead.
    let operation = OpenApiRouter::new()
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::render));
    let groups = [figures, site, months, site_months, closing, incidents, steps, changes, shipped];
    let all = groups.map(Group::build).into_iter().fold(operation, OpenApiRouter::merge);
    let (router, document) = OpenApiRouter::with_openapi(openapi::frame()).merge(all).split_for_parts();
    let router = router
        .merge(openapi::serve(document))
        .route("/", get(dashboard::index))
        .fallback(dashboard::file)
        .method_not_allowed_fallback(errors::wrong_method)
        .layer(from_fn(access::identify))
        .layer(from_fn(metrics::observe))
        .layer(from_fn(etag::tagged))
        .layer(CompressionLayer::new())
        .layer(map_response(headers::add))
        .with_state(app);
    answer::with_suffix(router)
}
