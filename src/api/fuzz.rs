//! What the fuzzer calls: what a request brings, from the octets of a body to readings and from an address to the fields
//! of a query, without a socket. Whatever an input is, this comes back, and nothing that was read contradicts itself.

use axum::http::{HeaderMap, HeaderValue, Uri, header};
use meter95_reading::{Reading, Timestamp};
use serde::de::DeserializeOwned;

use super::errors::ApiError;
use super::query::{self, Nothing, OfPeriod, OfServer, OfStatement};
use super::readings::lines::Lines;
use super::readings::unpack::Unpacker;
use super::{
    alerts, audit, cases, evidence, exclusions, exports, inventory, samples, statements, usage, what_if,
};
use crate::ndjson::{self, ERRORS_KEPT_MAX, LINE_OCTETS_MAX, LineError, Refused, Unreadable};

/// When all of it happens.
const NOW: Timestamp = Timestamp(1_790_780_400_000);

/// The longest text that is unpacked: the API's own limit would make the fuzzer slow.
const TEXT_OCTETS_MAX: usize = 4 << 20;

/// The longest text of one step.
const STEP_OCTETS_MAX: usize = 512 << 10;

/// What became of a body.
#[derive(Debug, PartialEq)]
enum Body {
    /// It was read to its end.
    Read { text: Vec<u8>, readings: Vec<Reading>, refused: u64, errors: Vec<LineError> },
    /// It is not what its encoding says.
    Damaged,
    /// There is too much of it.
    TooLong,
}

/// Takes one body: an octet says how it is packed, one where it is cut, and the rest is the body, or the text that is
/// packed here. Returns how many readings came of it.
///
/// # Panics
/// When a limit does not hold, a line is not what it is alone, or the cuts change anything: for the fuzzer to see.
pub fn readings(input: &[u8]) -> usize {
    let [how, cut, rest @ ..] = input else { return 0 };
    let packed = match how % 5 {
        3 => pack(rest, flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast())),
        4 => zstd::encode_all(rest, 1).unwrap_or_default(),
        _ => rest.to_vec(),
    };
    let encoding = ["identity", "gzip", "zstd", "gzip", "zstd"][usize::from(how % 5)];
    let whole = body(encoding, &packed, packed.len().max(1));
    for size in [1, usize::from(*cut) + 1, 256] {
        assert_eq!(body(encoding, &packed, size), whole, "in pieces of {size}");
    }
    let Body::Read { text, readings, refused, errors } = whole else {
        assert!(matches!(how % 5, 1 | 2), "what was packed here can't be read");
        return 0;
    };
    if !matches!(how % 5, 1 | 2) {
        assert_eq!(text, rest);
    }
    let (alone, refusals) = line_by_line(&text);
    assert_eq!(readings, alone);
    assert_eq!((refused, errors), (refusals.count, refusals.errors));
    readings.len()
}

fn pack(text: &[u8], mut packer: flate2::write::GzEncoder<Vec<u8>>) -> Vec<u8> {
    use std::io::Write;
    let packed = packer.write_all(text).and_then(|()| packer.finish());
    packed.unwrap_or_default()
}

/// What becomes of a body in pieces of `size` octets.
fn body(encoding: &'static str, body: &[u8], size: usize) -> Body {
    let headers = HeaderMap::from_iter([(header::CONTENT_ENCODING, HeaderValue::from_static(encoding))]);
    let Ok(mut unpacker) = Unpacker::of(&headers) else { return Body::Damaged };
    let (mut lines, mut readings) = (Lines::default(), Vec::new());
    let (mut all, mut text) = (Vec::new(), Vec::new());
    for mut piece in body.chunks(size) {
        loop {
            text.clear();
            let Ok(step) = unpacker.step(piece, &mut text) else { return Body::Damaged };
            assert!(text.len() <= STEP_OCTETS_MAX, "{} octets in one step", text.len());
            assert!(step.used > 0 || piece.is_empty() || !text.is_empty(), "a step that does nothing");
            piece = &piece[step.used..];
            lines.push(&text, NOW);
            readings.append(&mut lines.take_readings());
            all.extend_from_slice(&text);
            if all.len() > TEXT_OCTETS_MAX {
                return Body::TooLong;
            }
            if piece.is_empty() && !step.more {
                break;
            }
        }
    }
    text.clear();
    if unpacker.end(&mut text).is_err() {
        return Body::Damaged;
    }
    lines.push(&text, NOW);
    lines.end(NOW);
    readings.append(&mut lines.take_readings());
    all.append(&mut text);
    let Refused { count, errors } = lines.refused;
    Body::Read { text: all, readings, refused: count, errors }
}

/// What becomes of every line of a text, each read alone.
fn line_by_line(text: &[u8]) -> (Vec<Reading>, Refused) {
    let (mut readings, mut refused) = (Vec::new(), Refused::default());
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    for (line, number) in text.split(|octet| *octet == b'\n').zip(1..) {
        let read = match line.len() {
            0..=LINE_OCTETS_MAX => ndjson::reading(line, NOW),
            _ => Err(Unreadable::TooLong),
        };
        match read {
            Ok(reading) => readings.extend(reading),
            Err(why) => refused.add(number, why.to_string()),
        }
    }
    assert!(refused.errors.len() <= ERRORS_KEPT_MAX);
    (readings, refused)
}

/// Reads one.
type Ask = fn(&Uri) -> Result<(), ApiError>;

/// Takes one query or path: an octet says of what, and the rest is what stands after the `?`. Returns whether it can be.
///
/// # Panics
/// When it is refused without a field that is told: for the fuzzer to see.
pub fn query(input: &[u8]) -> bool {
    /// Asks for a query of every kind, and then for a path of every kind.
    const ASK: &[Ask] = &[
        read::<Nothing>,
        read::<alerts::Asked>,
        read::<alerts::AskedDeliveries>,
        read::<cases::Asked>,
        read::<cases::AskedSnippet>,
        read::<evidence::Asked>,
        read::<exports::Asked>,
        read::<inventory::Asked>,
        read::<inventory::AskedHistory>,
        read::<inventory::AskedChange>,
        read::<samples::Asked>,
        read::<statements::Asked>,
        read::<statements::OfRevision>,
        read::<statements::AskedWords>,
        read::<usage::Asked>,
        read::<what_if::Asked>,
        read::<OfPeriod>,
        read::<OfServer>,
        read::<OfStatement>,
        read::<cases::OfCase>,
        read::<cases::OfStep>,
        read::<exclusions::OfExclusion>,
        read::<audit::Asked>,
    ];
    let [of, rest @ ..] = input else { return false };
    let Some(ask) = ASK.get(usize::from(*of) % ASK.len()) else { return false };
    let Ok(uri) = Uri::try_from([b"/v1/x?", rest].concat()) else { return false };
    match ask(&uri) {
        Ok(()) => true,
        Err(ApiError::Field { field, says, .. }) => {
            assert!(!says.is_empty(), "{field:?} is refused without a word");
            false
        }
        Err(other) => {
            assert!(matches!(other, ApiError::Field { .. }), "refused without a field: {other:?}");
            false
        }
    }
}

/// Reads a query as a struct; as a path's, it is the same reader.
fn read<T: DeserializeOwned>(uri: &Uri) -> Result<(), ApiError> {
    query::read::<T>(uri).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes the inputs of a folder, each by its name.
    fn inputs(target: &str, take: impl Fn(&[u8], &str)) {
        let folder = format!("{}/tests/fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
        let mut count = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            take(&std::fs::read(&path).unwrap(), path.file_name().unwrap().to_str().unwrap());
            count += 1;
        }
        assert!(count > 4, "{count} inputs");
    }

    #[test]
    fn bodies_that_were_found_are_taken() {
        inputs("readings", |input, name| {
            let came = readings(input);
            assert!(!name.starts_with("good-") || came > 0, "{name}: {came}");
        });
    }

    #[test]
    fn queries_that_were_found_are_taken() {
        inputs("query", |input, name| {
            let taken = query(input);
            assert_eq!(taken, !name.starts_with("wrong-"), "{name}");
        });
    }
}
