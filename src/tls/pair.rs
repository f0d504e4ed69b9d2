//! A certificate and its key, from files as Let's Encrypt and others write them (PEM).

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};

use super::dates::Dates;
use super::provider;

/// The longest file that is read, in octets: a chain of a dozen certificates has some 20 kB.
const FILE_OCTETS_MAX: u64 = 1 << 20;

/// Where a certificate and its key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The certificate first, then those that vouch for it.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// What stands in both files, not looked at yet.
pub struct Texts {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// A certificate with its key. The key is not printed.
#[derive(Clone)]
pub struct Pair {
    pub(super) certified: Arc<CertifiedKey>,
    /// Between which instants the certificate counts.
    pub dates: Dates,
    /// The SHA-256 of the certificate as it goes over the line (DER).
    pub sha256: [u8; 32],
}

/// Why there is no pair.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PairError {
    /// A file can't be read.
    #[error("can't read {}: {says}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        says: String,
    },
    /// A file is no PEM, or there is nothing in it of what is needed.
    #[error("{}: {says}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        says: String,
    },
    /// Both are good and do not go together.
    #[error("the key in {} is not that of the certificate in {}", key.display(), certificate.display())]
    Apart {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        certificate: PathBuf,
    },
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts").finish_non_exhaustive()
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").field("dates", &self.dates).finish_non_exhaustive()
    }
}

impl Texts {
    /// The same for the same texts.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let certificate = Sha256::digest(&self.certificate);
        Sha256::new().chain_update(certificate).chain_update(&self.key).finalize().into()
    }
}

impl Places {
    /// Reads both files and makes a pair of them.
    ///
    /// # Errors
    /// When they are none.
    pub fn read(&self) -> Result<Pair, PairError> {
        self.pair(&self.texts()?)
    }

    /// Reads both files.
    ///
    /// # Errors
    /// When one can't be read.
    pub fn texts(&self) -> Result<Texts, PairError> {
        Ok(Texts { certificate: text(&self.certificate)?, key: text(&self.key)? })
    }

    /// The pair that stands in both files.
    ///
    /// # Errors
    /// When they are none: no certificate, no key, or one of another certificate.
    pub fn pair(&self, texts: &Texts) -> Result<Pair, PairError> {
        let chain = certificates(&self.certificate, &texts.certificate)?;
        let no_key = |says| PairError::File { path: self.key.clone(), says };
        let key = PrivateKeyDer::from_pem_slice(&texts.key).map_err(|_| {
            no_key("there is no key in it that is not encrypted (a PEM block PRIVATE KEY)".to_owned())
        })?;
        let bad = || PairError::File {
            path: self.certificate.clone(),
            says: "the first certificate in it is damaged".to_owned(),
        };
        let leaf = chain.first().ok_or_else(bad)?;
        let (dates, sha256) = (Dates::of(leaf).ok_or_else(bad)?, Sha256::digest(leaf).into());
        let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                PairError::Apart { key: self.key.clone(), certificate: self.certificate.clone() }
            }
            rustls::Error::InvalidCertificate(_) => bad(),
            other => no_key(format!("the key can't be used: {other}")),
        })?;
        Ok(Pair { certified: Arc::new(certified), dates, sha256 })
    }

    /// Whether everybody on this machine may read the key.
    #[must_use]
    pub fn is_key_open_to_all(&self) -> bool {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(&self.key).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0)
    }
}

/// The certificates in a file.
///
/// # Errors
/// When it can't be read, or there are none.
pub fn certificates_of(path: &Path) -> Result<Vec<CertificateDer<'static>>, PairError> {
    certificates(path, &text(path)?)
}

fn certificates(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, PairError> {
    let wrong = |says: &str| PairError::File { path: path.to_owned(), says: says.to_owned() };
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let all = all.map_err(|_| wrong("a certificate in it is damaged"))?;
    if all.is_empty() {
        return Err(wrong("there is no certificate in it (a PEM block CERTIFICATE)"));
    }
    Ok(all)
}

fn text(path: &Path) -> Result<Vec<u8>, PairError> {
    let unread = |error: std::io::Error| PairError::Read { path: path.to_owned(), says: error.to_string() };
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(unread)?;
    file.take(FILE_OCTETS_MAX + 1).read_to_end(&mut text).map_err(unread)?;
    if text.len() as u64 > FILE_OCTETS_MAX {
        let says = format!("longer than {} MiB", FILE_OCTETS_MAX >> 20);
        return Err(PairError::File { path: path.to_owned(), says });
    }
    Ok(text)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A certificate for `name` with its key, in files of a folder.
    pub(in crate::tls) fn write(folder: &Path, name: &str) -> Places {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let places = Places { certificate: folder.join("chain.pem"), key: folder.join("key.pem") };
        std::fs::write(&places.certificate, made.cert.pem()).unwrap();
        std::fs::write(&places.key, made.signing_key.serialize_pem()).unwrap();
        places
    }

    #[test]
    fn a_pair_is_read_and_its_key_not_printed() {
        let folder = tempfile::tempdir().unwrap();
        let places = write(folder.path(), "a.example");
        let pair = places.read().unwrap();
        assert_eq!(Dates::of(&pair.certified.cert[0]), Some(pair.dates));
        let printed = format!("{pair:?}{:?}", places.texts().unwrap());
        assert!(!printed.contains("key") && !printed.contains("PRIVATE") && printed.len() < 200, "{printed}");
    }

    #[test]
    fn what_is_no_pair_is_told_by_its_file() {
        let [folder, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let places = write(folder.path(), "a.example");
        let foreign = write(other.path(), "a.example");
        let certificate = std::fs::read_to_string(&places.certificate).unwrap();
        let damaged = certificate.replacen("MII", "MIX", 1).replacen("MIIB", "MIXX", 1);
        let text = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name)
        };
        let of = |certificate: &PathBuf, key: &PathBuf| {
            let places = Places { certificate: certificate.clone(), key: key.clone() };
            places.read().unwrap_err().to_string()
        };
        for (says, found) in [
            ("is not that of the certificate in", of(&places.certificate, &foreign.key)),
            ("there is no certificate in it", of(&places.key, &places.key)),
            ("there is no key in it", of(&places.certificate, &places.certificate)),
            ("can't read", of(&folder.path().join("none"), &places.key)),
            ("damaged", of(&text("damaged", &damaged), &places.key)),
            ("no certificate in it", of(&text("empty", ""), &places.key)),
            ("longer than 1 MiB", of(&text("long", &" ".repeat(2 << 20)), &places.key)),
        ] {
            assert!(found.contains(says), "{says}: {found}");
        }
    }
}
