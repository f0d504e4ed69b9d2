//! What is known of the engine of a data directory, without starting it.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::EngineError;
use super::announcement::Announcement;
use super::layout::Layout;
use super::lock::{self, Lock};
use super::program::{Places, Program};
use super::version::Version;

/// The state of a data directory's engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The program that would be started, or why there is none.
    pub program: String,
    /// Where that program lies.
    pub path: Option<PathBuf>,
    /// The process that supervises the engine, if it runs.
    pub owner: Option<u32>,
    /// Where the engine answers, if it runs.
    pub url: Option<String>,
    /// The version of the newest engine that opened the data.
    pub data_version: Option<String>,
}

impl Status {
    /// Looks at `data_dir`, and for a program in all the usual places.
    pub fn of(data_dir: &Path, configured: Option<PathBuf>) -> Result<Status, EngineError> {
        let layout = Layout::of(data_dir);
        let (program, path) = match Places::of_this_process(configured).find(data_dir) {
            Ok(Program::Library(path)) => ("library".to_owned(), Some(path)),
            Ok(Program::Server(path, version)) => (format!("clickhouse {version}"), Some(path)),
            Err(e) => (e.to_string(), None),
        };
        let lock_path = layout.lock();
        let is_held = lock_path.is_file()
            && !Lock::is_free(&lock_path).map_err(|e| EngineError::io("lock", &lock_path, e))?;
        let owner = is_held.then(|| lock::holder(&lock_path)).flatten();
        let told = Announcement::read(&layout).filter(|told| told.ready && Some(told.pid) == owner);
        let data_version = Version::of_data(&layout)?.map(|version| version.to_string());
        Ok(Status { program, path, owner, url: told.map(|told| told.url), data_version })
    }
}
