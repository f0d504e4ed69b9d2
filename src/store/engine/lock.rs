//! One engine for a data directory, by locks on files that the kernel lets go of when a process ends.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

/// A lock on a file, held until it is dropped or the process ends. The file names the holder's process.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held for its lock")] File);

impl Lock {
    /// Takes the lock, or says `None` while another holds it.
    pub(crate) fn try_take(path: &Path) -> io::Result<Option<Lock>> {
        let file = open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Lock::sign(file).map(Some),
            Err(e) if e == rustix::io::Errno::WOULDBLOCK => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Takes the lock, and blocks the thread until it is free.
    pub(crate) fn take(path: &Path) -> io::Result<Lock> {
        let file = open(path)?;
        flock(&file, FlockOperation::LockExclusive)?;
        Lock::sign(file)
    }

    /// Whether nobody holds the lock at this moment; leaves the file as it is.
    pub(crate) fn is_free(path: &Path) -> io::Result<bool> {
        match flock(&open(path)?, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(e) if e == rustix::io::Errno::WOULDBLOCK => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    fn sign(mut file: File) -> io::Result<Lock> {
        // In this order its first line is a holder at any time.
        let line = format!("{}\n", std::process::id());
        file.write_all(line.as_bytes())?;
        file.set_len(line.len() as u64)?;
        Ok(Lock(file))
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// The process named in a lock's file: its holder, if it is held. `None` before the first.
pub(crate) fn holder(path: &Path) -> Option<u32> {
    let mut text = String::new();
    File::open(path).ok()?.read_to_string(&mut text).ok()?;
    text.lines().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_once_and_names_its_holder() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let lock = Lock::try_take(&path).unwrap().expect("free");
        assert!(Lock::try_take(&path).unwrap().is_none());
        assert!(!Lock::is_free(&path).unwrap());
        assert_eq!(holder(&path), Some(std::process::id()));
        drop(lock);
        assert!(Lock::is_free(&path).unwrap());
        drop(Lock::take(&path).unwrap());
        assert!(Lock::try_take(&path).unwrap().is_some());
    }
}
