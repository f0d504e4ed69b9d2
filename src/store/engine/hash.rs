//! Hashes of files and their written forms.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::Digest;

/// Octets read at a time: large enough that the hash, not the reading, takes the time.
const BLOCK_OCTETS: usize = 1 << 20;

/// `octets` in lower-case hexadecimal digits.
#[must_use]
pub(crate) fn hex(octets: &[u8]) -> String {
    use std::fmt::Write;
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        // Writing into a `String` cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// The hash `D` of the file at `path` in hexadecimal digits; `seen` hears how many octets were read each time.
pub(super) fn file<D: Digest>(path: &Path, mut seen: impl FnMut(u64)) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut block = vec![0; BLOCK_OCTETS];
    let mut hash = D::new();
    loop {
        let octets = file.read(&mut block)?;
        if octets == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&block[..octets]);
        seen(octets as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_hashed_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let mut octets = 0;
        let hash = file::<sha2::Sha256>(&path, |read| octets += read).unwrap();
        assert_eq!(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(octets, 3);
    }
}
