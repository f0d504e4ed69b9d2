//! The pinned library: what it is, where it lies, and whether a file is it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::Sha256;

use super::EngineError;
use super::{hash, layout};

/// The npm package that holds ClickHouse as a library.
pub(super) const PACKAGE: &str = "@chdb/lib-linux-x64-gnu";
/// Its pinned version. 26.7 is the oldest whose library can listen; later ones are taken on after the same tests.
pub(super) const PACKAGE_VERSION: &str = "26.7.3-stable.1";
/// SHA-512 of the package, in hexadecimal; the registry states the same in base64.
pub(super) const PACKAGE_SHA512: &str = "5cff7b98caa7739b59a4a432c11f0dedc2d3b073624e61ebdf4a42e66ce8de35a6ba48ca9f62016bad1cd81fe059435cb858ce3235a8a2b408082a81563e70a7";
/// The library within the package.
pub(super) const FILE: &str = "libchdb.so";
/// SHA-256 of the library.
pub(super) const SHA256: &str = "36ad4e999882821ef13cf2d0f52c93f48e6ee1b4498b35a201c23ce4b8d15bf5";
/// Size of the library.
pub(super) const OCTETS: u64 = 566_330_096;

/// The folder that `meter95 engine install` fills: `meter95/engine/VERSION` in the user's cache. `None` without a home.
#[must_use]
pub(super) fn cache_dir() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))?;
    Some(cache.join("meter95").join("engine").join(PACKAGE_VERSION))
}

/// Whether the file at `path` is the pinned library. To hash it takes seconds, so a file that was found right leaves
/// a stamp beside it, which holds while size and time of change stay the same.
pub(super) fn check(path: &Path) -> Result<(), EngineError> {
    let metadata = path.metadata().map_err(|e| EngineError::io("read", path, e))?;
    if std::fs::read_to_string(stamp_path(path)).is_ok_and(|text| text == stamp(&metadata)) {
        return Ok(());
    }
    let damaged = |found: String| EngineError::Damaged { path: path.to_owned(), found };
    if metadata.len() != OCTETS {
        return Err(damaged(format!("{} octets instead of {OCTETS}", metadata.len())));
    }
    let found = hash::file::<Sha256>(path, |_| ()).map_err(|e| EngineError::io("read", path, e))?;
    if found != SHA256 {
        return Err(damaged(format!("sha256 {found}")));
    }
    // A place that cannot be written costs the hash again next time, and nothing else.
    let _ = layout::replace(&stamp_path(path), &stamp(&metadata));
    Ok(())
}

fn stamp_path(path: &Path) -> PathBuf {
    path.with_extension("so.ok")
}

fn stamp(metadata: &std::fs::Metadata) -> String {
    format!("{SHA256} {} {}.{:09}\n", metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}
