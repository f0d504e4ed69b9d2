//! Fetches the pinned library with npm, checks it, and puts it where every command finds it.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use flate2::read::GzDecoder;
use indicatif::{ProgressBar, ProgressStyle};
use sha2::Sha512;

use super::{EngineError, hash, library};

/// Where the library comes from and goes to.
#[derive(Clone, Debug, Default)]
pub struct Install {
    /// The package as a file that was fetched elsewhere; by default npm fetches it.
    pub from: Option<PathBuf>,
    /// The folder for the library; by default the one in the user's cache.
    pub to: Option<PathBuf>,
}

/// What an installation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Installed {
    /// The right library was there already.
    Before(PathBuf),
    /// It was fetched and checked.
    Now(PathBuf),
}

/// Why the library could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// No home directory to put it under.
    #[error("no cache directory: neither XDG_CACHE_HOME nor HOME is set; name a folder with --to")]
    NoCache,
    /// The library exists for one kind of machine.
    #[error("the library is made for Linux on x86-64 only; install a clickhouse {min} or newer instead", min = super::SERVER_VERSION_MIN)]
    Platform,
    /// npm is missing.
    #[error(
        "npm is not there to fetch the engine; install it (for instance `apt install npm`), or fetch {package}@{version} \
         elsewhere with `npm pack` and name the file with --from", package = library::PACKAGE, version = library::PACKAGE_VERSION
    )]
    NoNpm,
    /// npm did not fetch it.
    #[error(
        "npm could not fetch the engine: {said}; where this machine has no network, fetch {package}@{version} elsewhere \
         with `npm pack` and name the file with --from", package = library::PACKAGE, version = library::PACKAGE_VERSION
    )]
    Npm {
        /// Its last words.
        said: String,
    },
    /// The package is not the pinned one.
    #[error("{path} is not {package}@{version}: its sha512 is {found}, not {want}; nothing was installed",
        package = library::PACKAGE, version = library::PACKAGE_VERSION, want = library::PACKAGE_SHA512)]
    WrongPackage {
        /// The file.
        path: PathBuf,
        /// Its hash.
        found: String,
    },
    /// The package does not hold the library, or a wrong one.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A file could not be read or written.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Install {
    /// Installs the library, unless the right one is there. Blocks for as long as npm needs for 178 MB.
    pub fn run(&self) -> Result<Installed, InstallError> {
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            return Err(InstallError::Platform);
        }
        let dir = self.to.clone().or_else(library::cache_dir).ok_or(InstallError::NoCache)?;
        let path = dir.join(library::FILE);
        if path.is_file() && library::check(&path).is_ok() {
            return Ok(Installed::Before(path));
        }
        std::fs::create_dir_all(&dir).map_err(io_error("make", &dir))?;
        // In the target's folder, so that the last step is a rename; gone when this function returns.
        let scratch = Scratch::within(&dir)?;
        let package = match &self.from {
            Some(file) => file.clone(),
            None => fetch(&scratch.0)?,
        };
        check_package(&package)?;
        let unpacked = scratch.0.join(library::FILE);
        unpack(&package, &unpacked)?;
        library::check(&unpacked)?;
        std::fs::rename(&unpacked, &path).map_err(io_error("write", &path))?;
        // Hashed once more at its place, which leaves the stamp that spares it from then on.
        library::check(&path)?;
        Ok(Installed::Now(path))
    }
}

fn io_error<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> InstallError + 'a {
    move |source| InstallError::Io { doing, path: path.to_owned(), source }
}

/// A directory that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn within(dir: &Path) -> Result<Scratch, InstallError> {
        let path = dir.join(format!(".install-{}-{:08x}", std::process::id(), rand::random::<u32>()));
        std::fs::create_dir(&path).map_err(io_error("make", &path))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now lies there under a telling name.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Lets npm fetch the package into `dir`; npm knows the registry, the proxy and the credentials of this site.
fn fetch(dir: &Path) -> Result<PathBuf, InstallError> {
    let spec = format!("{}@{}", library::PACKAGE, library::PACKAGE_VERSION);
    let progress = ProgressBar::new_spinner().with_message(format!("npm fetches {spec}, 178 MB"));
    progress.enable_steady_tick(Duration::from_millis(200));
    let output = Command::new("npm")
        .args(["pack", &spec, "--ignore-scripts", "--loglevel=error", "--pack-destination"])
        .arg(dir)
        .stdin(Stdio::null())
        .output();
    progress.finish_and_clear();
    let output = match output {
        Ok(output) => output,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(InstallError::NoNpm),
        Err(e) => return Err(io_error("run", Path::new("npm"))(e)),
    };
    let entries = std::fs::read_dir(dir).map_err(io_error("list", dir))?;
    let package =
        entries.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|e| e == "tgz"));
    match package {
        Some(package) if output.status.success() => Ok(package),
        _ => {
            let text = String::from_utf8_lossy(&output.stderr);
            let said =
                text.lines().find(|line| !line.trim().is_empty()).unwrap_or("no word why").trim().to_owned();
            Err(InstallError::Npm { said })
        }
    }
}

fn bar(octets: u64, message: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {decimal_bytes}/{decimal_total_bytes}");
    let bar = ProgressBar::new(octets).with_message(message);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Whether `package` is the pinned package, by its hash.
fn check_package(package: &Path) -> Result<(), InstallError> {
    let octets = package.metadata().map_err(io_error("read", package))?.len();
    let progress = bar(octets, "checking");
    let found =
        hash::file::<Sha512>(package, |octets| progress.inc(octets)).map_err(io_error("read", package))?;
    progress.finish_and_clear();
    if found == library::PACKAGE_SHA512 {
        return Ok(());
    }
    Err(InstallError::WrongPackage { path: package.to_owned(), found })
}

/// Writes the package's library to `target`, and nothing else of it.
fn unpack(package: &Path, target: &Path) -> Result<(), InstallError> {
    let read = io_error("unpack", package);
    let progress = bar(library::OCTETS, "unpacking");
    let extract = || -> io::Result<()> {
        let file = BufReader::new(File::open(package)?);
        let mut archive = tar::Archive::new(GzDecoder::new(file));
        for entry in archive.entries()? {
            let mut entry = entry?;
            if entry.path()? == Path::new("package").join(library::FILE) {
                let mut out = File::create(target)?;
                copy(&mut entry, &mut out, &progress)?;
                return out.sync_all();
            }
        }
        Err(io::Error::new(io::ErrorKind::NotFound, format!("no {} in it", library::FILE)))
    };
    let outcome = extract().map_err(read);
    progress.finish_and_clear();
    outcome
}

fn copy(from: &mut impl Read, to: &mut impl Write, progress: &ProgressBar) -> io::Result<()> {
    const BLOCK_OCTETS: usize = 1 << 20;
    let mut block = vec![0; BLOCK_OCTETS];
    loop {
        let octets = from.read(&mut block)?;
        if octets == 0 {
            return Ok(());
        }
        to.write_all(&block[..octets])?;
        progress.inc(octets as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_with_another_hash_is_refused_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("p.tgz"), dir.path().join("to"));
        std::fs::write(&from, "not the package").unwrap();
        let install = Install { from: Some(from), to: Some(to.clone()) };
        let error = install.run().unwrap_err();
        assert!(matches!(error, InstallError::WrongPackage { .. }), "{error}");
        assert_eq!(std::fs::read_dir(&to).unwrap().count(), 0);
    }
}
