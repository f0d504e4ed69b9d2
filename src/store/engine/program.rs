//! Which ClickHouse is started: a real `clickhouse`, or the library that `meter95 engine install` fetches.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::layout::Layout;
use super::library;
use super::version::{SERVER_VERSION_MIN, Version};
use super::{EngineError, with_causes};

/// The environment variable that names a library, a `clickhouse` binary, or a directory that holds either.
pub const VARIABLE: &str = "METER95_ENGINE";

/// The binary's name on `PATH` and in a directory.
const SERVER_FILE: &str = "clickhouse";

/// A ClickHouse that can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// ClickHouse as a library, loaded by a child process of this service's own binary.
    Library(PathBuf),
    /// A real `clickhouse` binary and its version.
    Server(PathBuf, Version),
}

/// Where to look, apart from the data directory. [`Places::of_this_process`] reads the environment; tests say it.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// A configured program, before everything else.
    pub configured: Option<PathBuf>,
    /// The value of [`VARIABLE`].
    pub variable: Option<PathBuf>,
    /// The value of `PATH`.
    pub path: Option<OsString>,
    /// The folder that `meter95 engine install` fills.
    pub cache: Option<PathBuf>,
}

impl Places {
    /// What this process' environment says.
    #[must_use]
    pub fn of_this_process(configured: Option<PathBuf>) -> Places {
        Places {
            configured,
            variable: std::env::var_os(VARIABLE).filter(|v| !v.is_empty()).map(PathBuf::from),
            path: std::env::var_os("PATH"),
            cache: library::cache_dir(),
        }
    }

    /// The program to start on `data_dir`: the one that is named, else a `clickhouse` on `PATH` that is new enough, else
    /// the pinned library beside the data or in the cache, whose hash is checked.
    pub fn find(&self, data_dir: &Path) -> Result<Program, EngineError> {
        if let Some(named) = self.configured.as_ref().or(self.variable.as_ref()) {
            return at(named);
        }
        if let Some(program) = self.on_path() {
            return Ok(program);
        }
        let lib = Layout::of(data_dir).lib();
        let mut searched = vec!["PATH".to_owned()];
        for dir in [Some(&lib), self.cache.as_ref()].into_iter().flatten() {
            let path = dir.join(library::FILE);
            if path.is_file() {
                library::check(&path)?;
                return Ok(Program::Library(path));
            }
            searched.push(dir.display().to_string());
        }
        Err(EngineError::NotFound { searched: searched.join(", ") })
    }

    /// The first `clickhouse` on `PATH`, if it is new enough.
    fn on_path(&self) -> Option<Program> {
        let path = self.path.as_ref()?;
        let file =
            std::env::split_paths(path).map(|dir| dir.join(SERVER_FILE)).find(|file| file.is_file())?;
        match server(&file) {
            Ok(program) => Some(program),
            Err(e) => {
                tracing::info!(error = with_causes(&e), "passing over the clickhouse on PATH");
                None
            }
        }
    }
}

/// What stands at a path that someone named.
fn at(named: &Path) -> Result<Program, EngineError> {
    let is_library = |path: &Path| path.extension().is_some_and(|ext| ext == "so");
    if named.is_dir() {
        let (lib, bin) = (named.join(library::FILE), named.join(SERVER_FILE));
        if lib.is_file() {
            return Ok(Program::Library(absolute(&lib)?));
        }
        if bin.is_file() {
            return server(&bin);
        }
    } else if named.is_file() {
        return if is_library(named) { Ok(Program::Library(absolute(named)?)) } else { server(named) };
    }
    Err(EngineError::NotFound { searched: named.display().to_string() })
}

fn absolute(path: &Path) -> Result<PathBuf, EngineError> {
    path.canonicalize().map_err(|e| EngineError::io("resolve", path, e))
}

/// Asks a `clickhouse` binary for its version.
fn server(path: &Path) -> Result<Program, EngineError> {
    let path = absolute(path)?;
    // Without `local`, a `clickhouse` newer than 23.x would do; with it, older ones answer too.
    let output = Command::new(&path)
        .args(["local", "--version"])
        .output()
        .map_err(|e| EngineError::io("run", &path, e))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match Version::find(&text) {
        Some(version) if version >= SERVER_VERSION_MIN => Ok(Program::Server(path, version)),
        found => Err(EngineError::TooOld { path, found }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A directory with a `clickhouse` that prints `version`.
    fn fake(version: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("clickhouse");
        std::fs::write(
            &path,
            format!("#!/bin/sh\necho 'ClickHouse local version {version} (official build).'\n"),
        )
        .unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        dir
    }

    #[test]
    fn a_clickhouse_on_path_is_taken_if_it_is_new_enough() {
        let data = tempfile::tempdir().unwrap();
        let check = |version: &str, want: Option<Version>| {
            let bin = fake(version);
            let places = Places { path: Some(bin.path().into()), ..Places::default() };
            let found = match places.find(data.path()) {
                Ok(Program::Server(_, version)) => Some(version),
                Ok(Program::Library(path)) => panic!("{}", path.display()),
                Err(_) => None,
            };
            assert_eq!(found, want, "{version}");
        };
        check("18.16.1", None);
        check("24.7.9.9", None);
        check("24.8.1.1", Some(Version { year: 24, release: 8 }));
        check("26.1.2.3", Some(Version { year: 26, release: 1 }));
        check("nonsense", None);
    }

    #[test]
    fn a_named_program_that_is_too_old_is_an_error() {
        let data = tempfile::tempdir().unwrap();
        let (old, new) = (fake("18.16.1"), fake("25.8.1.1"));
        let places = Places {
            configured: Some(old.path().join("clickhouse")),
            path: Some(new.path().into()),
            ..Places::default()
        };
        let error = places.find(data.path()).unwrap_err();
        assert!(error.to_string().contains("18.16") && error.to_string().contains("24.8"), "{error}");
    }

    #[test]
    fn nothing_found_says_how_to_get_it() {
        let data = tempfile::tempdir().unwrap();
        let cache = data.path().join("cache");
        let error = Places { cache: Some(cache), ..Places::default() }.find(data.path()).unwrap_err();
        assert!(error.to_string().contains("meter95 engine install"), "{error}");
        assert!(error.to_string().contains("cache"), "{error}");
    }

    #[test]
    fn a_library_that_is_not_the_pinned_one_is_refused() {
        let data = tempfile::tempdir().unwrap();
        let lib = Layout::of(data.path()).lib();
        std::fs::create_dir_all(&lib).unwrap();
        std::fs::write(lib.join(library::FILE), "not a library").unwrap();
        let error = Places::default().find(data.path()).unwrap_err();
        assert!(matches!(error, EngineError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("meter95 engine install"), "{error}");
    }
}
