//! How values that are written as one word look in the document.

use std::borrow::Cow;
use utoipa::openapi::RefOr;

use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type,
};
use utoipa::{PartialSchema, ToSchema};

use super::body::{Who, Why};
use super::limits::SAID_CHARS_MAX;
use super::query::VALUES_MAX;
use crate::closing::listing::Stated;
use crate::closing::statement::Statement;
use crate::collectors::CollectorName;
use crate::inventory::instant::Instant;
use crate::metering::money::{Currency, Price};
use crate::metering::period::Month;
use crate::metering::units::{Bps, Slot};

/// The first instant that a request may name, in Unix milliseconds, is 0; this is the last one.
const LAST_MS: usize = 253_402_207_200_999;

/// An instant as a request names it.
pub(super) enum When {}

impl PartialSchema for When {
    fn schema() -> RefOr<Schema> {
        let rfc3339 = text()
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .pattern(Some("^(19[789]|2[0-9]{2}|[3-8][0-9]{2})[0-9]-"))
            .examples(["2026-10-01T00:00:00+09:00"]);
        let unix_ms = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(LAST_MS));
        OneOfBuilder::new()
            .description(Some("An instant since 1970: RFC 3339 with any zone, or Unix milliseconds."))
            .item(rfc3339)
            .item(unix_ms)
            .into()
    }
}

impl ToSchema for When {}

/// Ids of servers as a request names several, with commas between them.
pub(super) enum Servers {}

impl PartialSchema for Servers {
    fn schema() -> RefOr<Schema> {
        let id = text().min_length(Some(1)).max_length(Some(255)).pattern(Some("^[^,]+$"));
        let ids = ArrayBuilder::new().items(id).min_items(Some(1)).max_items(Some(VALUES_MAX));
        ids.description(Some("Ids of servers; one with a comma in it can't be named here.")).into()
    }
}

impl ToSchema for Servers {}

/// A number by which a case, a revision and the like are known.
pub(super) enum Ordinal {}

impl PartialSchema for Ordinal {
    fn schema() -> RefOr<Schema> {
        let most = usize::try_from(u32::MAX).unwrap_or(usize::MAX);
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(most)).into()
    }
}

impl ToSchema for Ordinal {}

/// A zip file.
pub(super) enum Zip {}

/// A PDF file.
pub(super) enum Pdf {}

impl PartialSchema for Zip {
    fn schema() -> RefOr<Schema> {
        binary()
    }
}

impl PartialSchema for Pdf {
    fn schema() -> RefOr<Schema> {
        binary()
    }
}

impl ToSchema for Zip {}

impl ToSchema for Pdf {}

/// A file that is no text.
fn binary() -> RefOr<Schema> {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary))).into()
}

/// A name of a person or machine: without control characters, and without white space at an end.
const NAME: &str = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$";

/// A text.
fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

macro_rules! written_as {
    ($($type:ty => $schema:expr;)+) => {
        $(impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $type {})+
    };
}

written_as! {
    Month => text()
        .description(Some("A billing period: year and month."))
        .pattern(Some(r"^(19[7-9][0-9]|[2-8][0-9]{3})-(0[1-9]|1[0-2])$"))
        .examples(["2026-10"]);
    Instant => text()
        .description(Some("An instant, as RFC 3339 in UTC. On input any zone will do, and not before 1970."))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .examples(["2026-09-30T15:00:00Z"]);
    Slot => text()
        .description(Some("The first instant of a slot of five minutes, as RFC 3339 in UTC."))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .examples(["2026-09-30T15:05:00Z"]);
    Price => text()
        .description(Some("What 1 Mbps costs a month, as a decimal."))
        .pattern(Some(r"^[0-9]{1,9}(\.[0-9]{1,9})?$"))
        .examples(["900", "7.50"]);
    Currency => text()
        .description(Some("A currency, by its code of ISO 4217."))
        .pattern(Some("^[A-Z]{3}$"))
        .examples(["JPY"]);
    CollectorName => text().min_length(Some(1)).max_length(Some(255)).pattern(Some(NAME));
    Bps => ObjectBuilder::new()
        .schema_type(Type::Integer)
        .description(Some("A rate in bit/s; 1 Mbps is 1,000,000 bit/s."))
        .minimum(Some(0))
        .maximum(Some(usize::MAX));
    Who => text()
        .description(Some("Who does something."))
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some(NAME));
    Why => text()
        .description(Some("Why; it is kept with what is done."))
        .min_length(Some(1))
        .max_length(Some(SAID_CHARS_MAX))
        .pattern(Some(r"\S"));
}

/// A statement's own fields, and how it stands.
impl PartialSchema for Stated<'_> {
    fn schema() -> RefOr<Schema> {
        let mut schema = Statement::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            let state =
                text().description(Some("How it stands.")).enum_values(Some(["held", "issued", "withdrawn"]));
            object.properties.insert("state".to_owned(), state.into());
            object.required.push("state".to_owned());
        }
        schema
    }
}

impl ToSchema for Stated<'_> {
    fn name() -> Cow<'static, str> {
        "StatedStatement".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Statement::schemas(schemas);
    }
}
