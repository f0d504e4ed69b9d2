//! From a body to its text: plain, gzip or zstd, in steps that each give little text, whatever the body claims.

use std::io::{self, Write};

use axum::http::{HeaderMap, header};
use flate2::write::MultiGzDecoder;
use zstd::stream::raw::{DParameter, Decoder, Operation};

use crate::api::errors::ApiError;

/// Text of one step at most, for plain and zstd.
const STEP_OCTETS_MAX: usize = 128 << 10;

/// Octets of gzip that are unpacked in one step: gzip gives at most 1,032 times as many.
const GZIP_STEP_OCTETS: usize = 256;

/// The largest zstd window that is allowed, as a power of two: 8 MiB, as RFC 9659 demands of this encoding.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// How a body is packed, and how far it has been unpacked.
pub(in crate::api) enum Unpacker {
    /// It is not.
    Plain,
    /// With gzip, in one or more members.
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    /// With zstd, in one or more frames.
    Zstd {
        /// The decoder.
        decoder: Decoder<'static>,
        /// Whether a frame has ended and no other has begun.
        between_frames: bool,
    },
}

/// What a step has done.
pub(in crate::api) struct Step {
    /// So many octets of the body need not be given again.
    pub(in crate::api) used: usize,
    /// Whether there is more text without more of the body.
    pub(in crate::api) more: bool,
}

impl Unpacker {
    /// For a body with these headers.
    ///
    /// # Errors
    /// When it is packed in another way.
    pub(in crate::api) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let mut all = headers.get_all(header::CONTENT_ENCODING).iter();
        let (first, second) = (all.next(), all.next());
        let name =
            first.map_or_else(String::new, |v| String::from_utf8_lossy(v.as_bytes()).to_ascii_lowercase());
        if second.is_some() {
            return Err(ApiError::Encoding(format!("{name}, and another")));
        }
        match name.trim() {
            "" | "identity" => Ok(Self::Plain),
            "gzip" | "x-gzip" => Ok(Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))),
            "zstd" => Self::zstd().map_err(|e| ApiError::Internal(e.into())),
            _ => Err(ApiError::Encoding(name)),
        }
    }

    fn zstd() -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX))?;
        Ok(Self::Zstd { decoder, between_frames: true })
    }

    /// Unpacks the beginning of `body` and adds its text to `text`.
    ///
    /// # Errors
    /// When that is damaged.
    pub(in crate::api) fn step(&mut self, body: &[u8], text: &mut Vec<u8>) -> io::Result<Step> {
        match self {
            Self::Plain => {
                let used = body.len().min(STEP_OCTETS_MAX);
                text.extend_from_slice(&body[..used]);
                Ok(Step { used, more: false })
            }
            Self::Gzip(decoder) => {
                let used = decoder.write(&body[..body.len().min(GZIP_STEP_OCTETS)])?;
                if used == 0 && !body.is_empty() {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                text.append(decoder.get_mut());
                Ok(Step { used, more: false })
            }
            Self::Zstd { decoder, between_frames } => {
                text.resize(STEP_OCTETS_MAX, 0);
                let status = decoder.run_on_buffers(body, text)?;
                text.truncate(status.bytes_written);
                if status.bytes_read > 0 || status.bytes_written > 0 {
                    *between_frames = status.remaining == 0;
                } else if !body.is_empty() {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                Ok(Step { used: status.bytes_read, more: status.bytes_written == STEP_OCTETS_MAX })
            }
        }
    }

    /// Ends the body and adds what text is left to `text`.
    ///
    /// # Errors
    /// When it is not complete.
    pub(in crate::api) fn end(&mut self, text: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Plain => Ok(()),
            Self::Gzip(decoder) => {
                decoder.try_finish()?;
                text.append(decoder.get_mut());
                Ok(())
            }
            Self::Zstd { between_frames, .. } if *between_frames => Ok(()),
            Self::Zstd { .. } => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    /// All text of a body that comes in pieces of `size` octets, and the longest text of one step.
    fn unpack(encoding: &str, body: &[u8], size: usize) -> io::Result<(Vec<u8>, usize)> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_str(encoding).unwrap());
        let mut unpacker = Unpacker::of(&headers).unwrap();
        let (mut all, mut longest, mut text) = (Vec::new(), 0, Vec::new());
        for mut piece in body.chunks(size) {
            loop {
                text.clear();
                let step = unpacker.step(piece, &mut text)?;
                longest = longest.max(text.len());
                all.append(&mut text);
                piece = &piece[step.used..];
                if piece.is_empty() && !step.more {
                    break;
                }
            }
        }
        unpacker.end(&mut all)?;
        Ok((all, longest))
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    #[test]
    fn packed_text_comes_back_however_it_is_cut() {
        let text: Vec<u8> =
            (0..100_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let zstd = |text: &[u8]| zstd::encode_all(text, 3).unwrap();
        let two = |pack: &dyn Fn(&[u8]) -> Vec<u8>| [pack(&text[..1_000]), pack(&text[1_000..])].concat();
        for (encoding, body) in [("identity", text.clone()), ("gzip", two(&gzip)), ("ZSTD", two(&zstd))] {
            for size in [1, 1_000, usize::MAX] {
                assert!(unpack(encoding, &body, size).unwrap().0 == text, "{encoding} in pieces of {size}");
            }
            if encoding != "identity" {
                assert!(unpack(encoding, &body[..body.len() - 1], 1_000).is_err(), "{encoding} cut short");
                assert!(unpack(encoding, &text, 1_000).is_err(), "{encoding} that is none");
            }
        }
    }

    #[test]
    fn a_step_gives_little_text_whatever_the_body_holds() {
        let zeros = vec![0; 32 << 20];
        for (encoding, body) in [("gzip", gzip(&zeros)), ("zstd", zstd::encode_all(&zeros[..], 3).unwrap())] {
            let (text, longest) = unpack(encoding, &body, usize::MAX).unwrap();
            assert_eq!(text.len(), zeros.len());
            assert!(longest <= 512 << 10, "{encoding}: {longest} octets in one step");
        }
    }

    #[test]
    fn other_encodings_are_refused() {
        for encoding in ["br", "gzip, gzip", "gzip;q=1"] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_str(encoding).unwrap());
            assert!(matches!(Unpacker::of(&headers), Err(ApiError::Encoding(_))), "{encoding}");
        }
    }
}
