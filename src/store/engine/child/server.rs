//! A real `clickhouse server`, watched over by this process so that it ends when the parent does.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::{ChildError, Parent, on_stop, raw, spawn, system};
use crate::store::engine::layout::Layout;

/// How often a starting server is asked whether it listens yet.
const LISTEN_POLL: Duration = Duration::from_millis(20);

/// Starts the server, tells the parent the port once it listens, and returns when the server has stopped.
pub(super) fn run(layout: &Layout, path: &Path, http_port: u16, parent: Parent) -> Result<(), ChildError> {
    let Parent { lifeline, ready } = parent;
    let http_port = if http_port == 0 { free_port()? } else { http_port };
    let mut command = Command::new(path);
    raw::hears_sigterm(&mut command);
    let mut server = command
        .arg("server")
        .arg(format!("--config-file={}", layout.config().display()))
        .arg("--")
        .arg(format!("--http_port={http_port}"))
        .current_dir(&layout.dir)
        // Its own watchdog would be a process between us and the server.
        .env("CLICKHOUSE_WATCHDOG_ENABLE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(system("start the server"))?;
    let pid = i32::try_from(server.id()).ok().and_then(Pid::from_raw);
    on_stop(lifeline, move || {
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, Signal::TERM);
        }
    })?;
    spawn("ready", move || tell_port(http_port, ready))?;
    let status = server.wait().map_err(system("wait for the server"))?;
    if status.success() { Ok(()) } else { Err(ChildError::Ended(status.to_string())) }
}

/// A port that is free now. Another may take it before the server does; then the server ends and the parent tries anew.
fn free_port() -> Result<u16, ChildError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(system("find a free port"))?;
    Ok(listener.local_addr().map_err(system("find a free port"))?.port())
}

/// Waits until something listens, for as long as the parent has patience. The parent then logs in, which shows that it
/// is our server and no other.
fn tell_port(http_port: u16, mut ready: std::fs::File) {
    while TcpStream::connect((Ipv4Addr::LOCALHOST, http_port)).is_err() {
        std::thread::sleep(LISTEN_POLL);
    }
    // A parent that is gone stops us by the lifeline.
    let _ = writeln!(ready, "{http_port}");
}
