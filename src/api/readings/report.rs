//! What a collector says of itself in a request's headers: all of it or nothing, and nothing that contradicts itself.

use axum::http::HeaderMap;
use meter95_reading::Timestamp;

use super::super::errors::{ApiError, clipped};
use crate::collectors::CollectorName;
use crate::collectors::said::{COLLECTOR, OLDEST_UNSENT, STOPPING, Said, UNSENT};
use crate::inventory::instant::Instant;

/// What the headers say; `None` where there are none of these.
///
/// # Errors
/// With the header that can't be, or is missing.
pub(super) fn said(headers: &HeaderMap) -> Result<Option<Said>, ApiError> {
    let [name, unsent, oldest, stopping] = [COLLECTOR, UNSENT, OLDEST_UNSENT, STOPPING];
    let [name, unsent, oldest, stopping] =
        [text(headers, name)?, text(headers, unsent)?, text(headers, oldest)?, text(headers, stopping)?];
    if [name, unsent, oldest, stopping].iter().all(Option::is_none) {
        return Ok(None);
    }
    let name =
        name.ok_or_else(|| missing(COLLECTOR, "the other headers of a collector go together with it"))?;
    let name = CollectorName::new(name).map_err(|e| ApiError::field(COLLECTOR, name, e.to_string()))?;
    let unsent_text = unsent.ok_or_else(|| missing(UNSENT, format!("it goes together with {COLLECTOR}")))?;
    let unsent = digits(unsent_text).ok_or_else(|| wrong(UNSENT, unsent_text, "a number of readings"))?;
    let oldest_unsent =
        oldest.map(|text| time(text).ok_or_else(|| wrong(OLDEST_UNSENT, text, "a time in Unix ms")));
    let oldest_unsent = oldest_unsent.transpose()?;
    match (unsent, oldest) {
        (1.., None) => return Err(missing(OLDEST_UNSENT, format!("{UNSENT} is {unsent}"))),
        (0, Some(oldest)) => {
            return Err(ApiError::field(
                OLDEST_UNSENT,
                oldest,
                format!("{UNSENT} is 0: there is no oldest one"),
            ));
        }
        (0, None) | (1.., Some(_)) => {}
    }
    let stopping = match stopping {
        None | Some("false") => false,
        Some("true") if unsent == 0 => true,
        Some(text @ "true") => {
            let says = format!("{UNSENT} is {unsent}: a collector stops in order when nothing waits");
            return Err(ApiError::field(STOPPING, text, says));
        }
        Some(text) => return Err(wrong(STOPPING, text, "true or false")),
    };
    Ok(Some(Said { name, unsent, oldest_unsent, stopping }))
}

/// The text of a header that may be there once.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| {
        ApiError::field(name, &String::from_utf8_lossy(value.as_bytes()), "this is not UTF-8")
    })?;
    if values.next().is_some() { Err(ApiError::field(name, text, "given twice")) } else { Ok(Some(text)) }
}

/// A whole number, written in digits only.
fn digits(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// An instant in Unix ms.
fn time(text: &str) -> Option<Timestamp> {
    digits(text)?;
    let Instant(time) = text.parse().ok()?;
    Some(time)
}

fn wrong(header: &str, value: &str, wanted: &str) -> ApiError {
    ApiError::field(header, value, format!("{:?} is not {wanted}", clipped(value)))
}

fn missing(header: &str, says: impl std::fmt::Display) -> ApiError {
    ApiError::Field { field: header.to_owned(), value: None, says: format!("missing; {says}") }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    /// A header's name and value.
    type Line<'a> = (&'a str, &'a [u8]);

    fn check(lines: &[Line<'_>]) -> Result<Option<Said>, ApiError> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_bytes(value).unwrap(),
            );
        }
        said(&headers)
    }

    fn tokyo(unsent: u64, oldest: Option<i64>, stopping: bool) -> Said {
        let name = CollectorName::new("tokyo-1").unwrap();
        Said { name, unsent, oldest_unsent: oldest.map(Timestamp), stopping }
    }

    #[test]
    fn what_is_said_is_understood() {
        assert_eq!(check(&[("content-type", b"x")]).unwrap(), None);
        let name = CollectorName::new("東京 1").unwrap();
        for said in [
            tokyo(0, None, false),
            tokyo(1, Some(0), false),
            tokyo(u64::MAX, Some(1_795_223_400_000), false),
            tokyo(0, None, true),
            Said { name, ..tokyo(7, Some(1), false) },
        ] {
            let headers: Vec<(&str, String)> = said.headers().collect();
            let lines: Vec<Line<'_>> = headers.iter().map(|(n, v)| (*n, v.as_bytes())).collect();
            assert_eq!(check(&lines).unwrap(), Some(said));
        }
        let lines: [Line<'_>; 3] =
            [("METER95-COLLECTOR", b"tokyo-1"), ("meter95-unsent", b"0"), (STOPPING, b"false")];
        assert_eq!(check(&lines).unwrap(), Some(tokyo(0, None, false)));
    }

    #[test]
    fn what_can_t_be_is_refused_by_name() {
        let [me, none]: [Line<'_>; 2] = [(COLLECTOR, b"tokyo-1"), (UNSENT, b"0")];
        let long = [b'x'; 256];
        let rows: &[(&[Line<'_>], &str, Option<&str>, &str)] = &[
            (&[none], COLLECTOR, None, "missing"),
            (&[(STOPPING, b"true")], COLLECTOR, None, "missing"),
            (&[(COLLECTOR, b""), none], COLLECTOR, Some(""), "can't be empty"),
            (&[(COLLECTOR, &long), none], COLLECTOR, None, "longer than 255 octets"),
            (&[(COLLECTOR, b"a\tb"), none], COLLECTOR, Some("a\tb"), "control character '\\t'"),
            (&[(COLLECTOR, b"\xff"), none], COLLECTOR, Some("\u{fffd}"), "not UTF-8"),
            (&[me, me, none], COLLECTOR, Some("tokyo-1"), "given twice"),
            (&[me], UNSENT, None, "missing; it goes together with Meter95-Collector"),
            (&[me, none, none], UNSENT, Some("0"), "given twice"),
            (&[me, (UNSENT, b"")], UNSENT, Some(""), "\"\" is not a number of readings"),
            (&[me, (UNSENT, b"-1")], UNSENT, Some("-1"), "\"-1\" is not a number of readings"),
            (&[me, (UNSENT, b"+1")], UNSENT, Some("+1"), "is not a number"),
            (&[me, (UNSENT, b"1.5")], UNSENT, Some("1.5"), "is not a number"),
            (
                &[me, (UNSENT, b"18446744073709551616")],
                UNSENT,
                Some("18446744073709551616"),
                "is not a number",
            ),
            (&[me, (UNSENT, b"3")], OLDEST_UNSENT, None, "missing; Meter95-Unsent is 3"),
            (&[me, none, (OLDEST_UNSENT, b"5")], OLDEST_UNSENT, Some("5"), "Meter95-Unsent is 0"),
            (
                &[me, (UNSENT, b"3"), (OLDEST_UNSENT, b"-5")],
                OLDEST_UNSENT,
                Some("-5"),
                "not a time in Unix ms",
            ),
            (
                &[me, (UNSENT, b"3"), (OLDEST_UNSENT, b"2026-11-01T00:00:00Z")],
                OLDEST_UNSENT,
                Some("2026-11-01T00:00:00Z"),
                "not a time in Unix ms",
            ),
            (
                &[me, (UNSENT, b"3"), (OLDEST_UNSENT, b"9223372036854775807")],
                OLDEST_UNSENT,
                Some("9223372036854775807"),
                "not a time in Unix ms",
            ),
            (&[me, none, (STOPPING, b"yes")], STOPPING, Some("yes"), "\"yes\" is not true or false"),
            (&[me, none, (STOPPING, b"TRUE")], STOPPING, Some("TRUE"), "is not true or false"),
            (
                &[me, (UNSENT, b"3"), (OLDEST_UNSENT, b"5"), (STOPPING, b"true")],
                STOPPING,
                Some("true"),
                "Meter95-Unsent is 3",
            ),
        ];
        for (lines, header, value, says) in rows {
            let Err(ApiError::Field { field, value: found, says: found_says }) = check(lines) else {
                panic!("{lines:?} is taken");
            };
            assert_eq!(field, *header, "{lines:?}");
            if lines.iter().all(|(_, value)| value.len() < 256) {
                assert_eq!(found.as_deref(), *value, "{lines:?}");
            }
            assert!(found_says.contains(says), "{lines:?}: {found_says}");
        }
    }
}
