//! What lies where under a data directory.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::EngineError;

/// The engine's own part of a data directory: `DIR/engine`, closed to other users.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// The data directory itself, absolute.
    pub(super) data_dir: PathBuf,
    /// `DIR/engine`.
    pub(super) dir: PathBuf,
}

impl Layout {
    /// Makes the directories that are missing; the engine's is 0700 even where it was there before.
    pub(super) fn create(data_dir: &Path) -> Result<Layout, EngineError> {
        let make = |path: &Path| DirBuilder::new().recursive(true).mode(0o700).create(path);
        make(data_dir).map_err(|e| EngineError::io("make", data_dir, e))?;
        let data_dir = data_dir.canonicalize().map_err(|e| EngineError::io("resolve", data_dir, e))?;
        if data_dir.to_str().is_none() {
            let e = io::Error::new(io::ErrorKind::InvalidInput, "the path is not UTF-8");
            return Err(EngineError::io("use", &data_dir, e));
        }
        let layout = Layout { dir: data_dir.join("engine"), data_dir };
        make(&layout.data()).map_err(|e| EngineError::io("make", &layout.data(), e))?;
        std::fs::set_permissions(&layout.dir, std::fs::Permissions::from_mode(0o700))
            .map_err(|e| EngineError::io("restrict", &layout.dir, e))?;
        Ok(layout)
    }

    /// The paths of a data directory that may not exist; makes nothing.
    pub(super) fn of(data_dir: &Path) -> Layout {
        Layout { dir: data_dir.join("engine"), data_dir: data_dir.to_owned() }
    }

    /// The child's view: it is told `DIR/engine`.
    pub(super) fn of_engine_dir(dir: PathBuf) -> Layout {
        Layout { data_dir: dir.parent().unwrap_or(&dir).to_owned(), dir }
    }

    /// ClickHouse's own files.
    pub(super) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Held by the process that supervises the engine.
    pub(super) fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// Held by the engine itself, which may outlive its supervisor by a moment.
    pub(super) fn running(&self) -> PathBuf {
        self.dir.join("running")
    }

    /// Tells other commands how to reach the engine.
    pub(super) fn announcement(&self) -> PathBuf {
        self.dir.join("endpoint.json")
    }

    /// The version of the newest engine that opened the data.
    pub(super) fn version(&self) -> PathBuf {
        self.dir.join("version")
    }

    /// ClickHouse's configuration.
    pub(super) fn config(&self) -> PathBuf {
        self.dir.join("config.xml")
    }

    /// ClickHouse's users.
    pub(super) fn users(&self) -> PathBuf {
        self.dir.join("users.xml")
    }

    /// What the engine logs; ClickHouse rotates it.
    pub(super) fn log(&self) -> PathBuf {
        self.dir.join("engine.log")
    }

    /// What the child says before the engine's own log is open, anew at each start.
    pub(super) fn child_log(&self) -> PathBuf {
        self.dir.join("child.log")
    }

    /// A library that was put beside the data.
    pub(super) fn lib(&self) -> PathBuf {
        self.dir.join("lib")
    }
}

/// Replaces the file at `path` by `text` in one step, readable by its owner alone.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), EngineError> {
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, path)
    };
    write().map_err(|e| {
        // What is left is only a half-written file beside the good one.
        let _ = std::fs::remove_file(&new);
        EngineError::io("write", path, e)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_directory_is_closed_to_others() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("engine")).unwrap();
        let layout = Layout::create(dir.path()).unwrap();
        replace(&layout.announcement(), "{}").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&layout.dir), 0o700);
        assert_eq!(mode(&layout.announcement()), 0o600);
    }
}
