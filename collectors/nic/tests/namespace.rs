//! A network namespace that is removed however the test ends.

use std::fs::File;
use std::os::fd::AsFd;
use std::process::Command;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A named network namespace of `ip netns`.
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one without IPv6, whose own talk would be counted too.
    pub(crate) fn new(label: &str) -> Self {
        let name = format!("meter95-{label}-{}", std::process::id());
        ip(&["netns", "add", &name]);
        let namespace = Self { name };
        namespace.enter(|| {
            for scope in ["all", "default"] {
                // A kernel without IPv6 has no such file, and nothing to say either.
                let path = format!("/proc/sys/net/ipv6/conf/{scope}/disable_ipv6");
                if std::path::Path::new(&path).exists() {
                    std::fs::write(path, "1").unwrap();
                }
            }
        });
        namespace
    }

    /// Runs `ip -n NAME` with these words.
    pub(crate) fn ip(&self, words: &str) {
        let mut arguments = vec!["-n", self.name.as_str()];
        arguments.extend(words.split(' '));
        ip(&arguments);
    }

    /// Runs `inside` on a thread of its own in the namespace.
    pub(crate) fn enter<T: Send>(&self, inside: impl FnOnce() -> T + Send) -> T {
        let handle = File::open(format!("/run/netns/{}", self.name)).unwrap();
        thread::scope(|scope| {
            let thread = scope.spawn(|| {
                move_into_link_name_space(handle.as_fd(), Some(LinkNameSpaceType::Network))
                    .expect("entering a network namespace needs root: run the tests as root");
                inside()
            });
            thread.join().unwrap()
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

fn ip(arguments: &[&str]) {
    let output = Command::new("ip")
        .args(arguments)
        .output()
        .expect("`ip` cannot be started: install it with `apt-get install iproute2`");
    assert!(
        output.status.success(),
        "`ip {}` failed (network namespaces need root: run the tests as root): {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
}
