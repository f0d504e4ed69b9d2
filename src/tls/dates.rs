//! Between which instants a certificate counts.

use meter95_reading::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::inventory::instant::rfc3339;

/// A certificate's end is told so long before, in ms: two weeks.
pub const WARN_BEFORE_MS: i64 = 14 * DAY_MS;

const DAY_MS: i64 = 86_400_000;

/// From when until when a certificate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dates {
    /// From when.
    pub from: Timestamp,
    /// Until when, inclusive.
    pub until: Timestamp,
}

/// How a certificate's dates lie to an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It counts, for two weeks at least.
    Good,
    /// It counts no longer in so many whole days.
    EndsSoon(i64),
    /// It counts no longer.
    Over,
    /// It does not count yet.
    NotYet,
}

impl Dates {
    /// Those of a certificate; `None` where it is none.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        let ms = |s: i64| s.checked_mul(1_000).map(Timestamp);
        let validity = parsed.validity();
        Some(Self { from: ms(validity.not_before.timestamp())?, until: ms(validity.not_after.timestamp())? })
    }

    /// How they lie to `now`.
    #[must_use]
    pub fn standing(self, now: Timestamp) -> Standing {
        let left_ms = self.until.ms_since(now);
        match left_ms {
            _ if now < self.from => Standing::NotYet,
            ..0 => Standing::Over,
            0..WARN_BEFORE_MS => Standing::EndsSoon(left_ms / DAY_MS),
            _ => Standing::Good,
        }
    }

    /// What somebody should know of them at `now`; `None` where all is well.
    #[must_use]
    pub fn warning(self, now: Timestamp) -> Option<String> {
        match self.standing(now) {
            Standing::Good => None,
            Standing::EndsSoon(0) => Some(format!("expires within a day, at {}", rfc3339(self.until))),
            Standing::EndsSoon(days) => Some(format!("expires in {days} d, at {}", rfc3339(self.until))),
            Standing::Over => Some(format!("expired at {}", rfc3339(self.until))),
            Standing::NotYet => Some(format!("does not count before {}", rfc3339(self.from))),
        }
    }
}

/// Whether a certificate may vouch for others.
pub(super) fn vouches(certificate: &CertificateDer<'_>) -> bool {
    X509Certificate::from_der(certificate).is_ok_and(|(_, parsed)| parsed.is_ca())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_two_weeks_before() {
        let dates = Dates { from: Timestamp(0), until: Timestamp(100 * DAY_MS) };
        for (now, standing) in [
            (-1, Standing::NotYet),
            (0, Standing::Good),
            (86 * DAY_MS, Standing::Good),
            (86 * DAY_MS + 1, Standing::EndsSoon(13)),
            (100 * DAY_MS, Standing::EndsSoon(0)),
            (100 * DAY_MS + 1, Standing::Over),
        ] {
            assert_eq!(dates.standing(Timestamp(now)), standing, "{now}");
        }
        assert_eq!(dates.warning(Timestamp(0)), None);
        let says = dates.warning(Timestamp(98 * DAY_MS)).unwrap();
        assert_eq!(says, "expires in 2 d, at 1970-04-11T00:00:00Z");
        assert!(dates.warning(Timestamp(98 * DAY_MS)).is_some());
    }

    #[test]
    fn what_is_no_certificate_has_none() {
        for text in [&b""[..], b"0", b"\x30\x82\xff\xff"] {
            let der = CertificateDer::from(text);
            assert!(Dates::of(&der).is_none() && !vouches(&der));
        }
    }
}
