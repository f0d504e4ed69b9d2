//! ClickHouse as a library: made to listen, and kept until it is told to stop.

use std::ffi::CString;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::stdio;

use super::{ChildError, Parent, check_version, null, on_stop, raw, spawn, system};
use crate::store::engine::layout::Layout;

/// Loads the library, lets it listen, tells the parent the port, and returns when the engine has stopped.
pub(super) fn run(layout: &Layout, path: &Path, http_port: u16, parent: Parent) -> Result<(), ChildError> {
    let Parent { lifeline, ready } = parent;
    let library = raw::Library::open(path)?;
    check_version(layout, &library.version()?)?;

    let _terminal = pretend_terminal()?;
    let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(system("make a pipe"));
    let (held, hold) = pipe()?;
    let (port, announce) = pipe()?;

    let told = Arc::new(AtomicBool::new(false));
    let telling = told.clone();
    on_stop(lifeline, move || {
        telling.store(true, Ordering::Release);
        // The engine's last query reads the other end; at its end the session ends, and the engine with it.
        drop(hold);
    })?;
    spawn("ready", move || tell_port(port, ready))?;

    let error = library.run(&command_line(layout, http_port, announce.as_raw_fd(), held.as_raw_fd())?)?;
    match error.filter(|text| !text.is_empty()) {
        Some(error) => Err(ChildError::Ended(error)),
        None if !told.load(Ordering::Acquire) => Err(ChildError::Ended("its session is over".to_owned())),
        None => Ok(()),
    }
}

/// 26.7 ends the whole process on one garbage or reset connection unless it believes itself interactive (mended
/// upstream later). So standard input is a terminal, in which `exit` is already typed for when the queries are over.
fn pretend_terminal() -> Result<OwnedFd, ChildError> {
    let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
        .map_err(system("open a terminal"))?;
    rustix::pty::grantpt(&master).map_err(system("open a terminal"))?;
    rustix::pty::unlockpt(&master).map_err(system("open a terminal"))?;
    let name = rustix::pty::ptsname(&master, Vec::new()).map_err(system("name a terminal"))?;
    let slave = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())
        .map_err(system("open a terminal"))?;
    rustix::io::write(&master, b"exit\n").map_err(system("write to a terminal"))?;
    stdio::dup2_stdin(&slave).map_err(system("replace standard input"))?;
    Ok(master)
}

/// Passes the port on to the parent. From then on the engine has its own log, and standard error would only grow.
fn tell_port(port: OwnedFd, mut ready: std::fs::File) {
    let mut line = String::new();
    let read =
        std::io::BufRead::read_line(&mut std::io::BufReader::new(std::fs::File::from(port)), &mut line);
    if read.is_ok() {
        if let Ok(null) = null() {
            let _ = stdio::dup2_stderr(&null);
        }
        // A parent that is gone stops us by the lifeline.
        let _ = ready.write_all(line.as_bytes());
    }
}

/// ClickHouse's command line: listen, write the port to `announce`, then read `held` until it ends.
fn command_line(
    layout: &Layout,
    http_port: u16,
    announce: RawFd,
    held: RawFd,
) -> Result<Vec<CString>, ChildError> {
    let queries = format!(
        "SYSTEM START LISTEN HTTP; \
         SELECT getServerPort('http_port') INTO OUTFILE '/proc/self/fd/{announce}' APPEND FORMAT TSV; \
         SELECT count() FROM file('/proc/self/fd/{held}', 'LineAsString') SETTINGS max_execution_time = 0 FORMAT Null"
    );
    [
        "clickhouse".to_owned(),
        format!("--config-file={}", layout.config().display()),
        format!("--path={}", layout.data().display()),
        "--log-level=information".to_owned(),
        "--listen_host=127.0.0.1".to_owned(),
        format!("--http_port={http_port}"),
        "--tcp_port=0".to_owned(),
        "--interactive".to_owned(),
        "--disable_suggestion".to_owned(),
        "--progress=off".to_owned(),
        "--progress-table=off".to_owned(),
        "--history_file=/dev/null".to_owned(),
        "--query".to_owned(),
        queries,
    ]
    .into_iter()
    .map(|arg| CString::new(arg).map_err(|e| system("make the command line")(std::io::Error::from(e))))
    .collect()
}
