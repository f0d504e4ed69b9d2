//! Files that commands write: whole or not at all.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Writes a file, in the place of what may be there.
///
/// # Errors
/// When it can't be written; what was there is then as it was.
pub fn write(path: &Path, octets: &[u8]) -> anyhow::Result<()> {
    let cant = || format!("can't write {}", path.display());
    let beside = beside(path);
    let written = fill(&beside, octets).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // There may be nothing of it.
        let _ = std::fs::remove_file(&beside);
    }
    written.with_context(cant)
}

/// Writes a file unless it is there already with the same contents; `false` then.
///
/// # Errors
/// When there is one with other contents, or it can't be written.
pub fn write_once(path: &Path, octets: &[u8]) -> anyhow::Result<bool> {
    match std::fs::read(path) {
        Ok(found) if found == octets => Ok(false),
        Ok(_) => bail!("{} is there with other contents; it is left as it is", path.display()),
        Err(e) if e.kind() == ErrorKind::NotFound => write(path, octets).map(|()| true),
        Err(e) => Err(e).with_context(|| format!("can't read {}", path.display())),
    }
}

/// A name in the same folder that no other process uses.
fn beside(path: &Path) -> PathBuf {
    let name = format!(".meter95-{}.tmp", std::process::id());
    path.with_file_name(name)
}

fn fill(path: &Path, octets: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(octets)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_whole_and_a_differing_one_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        assert!(write_once(&path, b"1").unwrap());
        assert!(!write_once(&path, b"1").unwrap());
        assert!(write_once(&path, b"2").unwrap_err().to_string().contains("other contents"));
        assert_eq!(std::fs::read(&path).unwrap(), b"1");
        write(&path, b"2").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"2");
        assert!(write(&dir.path().join("none").join("a"), b"1").is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
