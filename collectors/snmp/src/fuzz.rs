//! What the fuzzer calls: everything that a device can send us, from the datagram to the reading, without a socket.
//!
//! An input is an octet that says how the device is asked, an octet that says what it is asked for, and then the answers,
//! each behind its length in two octets. What is missing at the end is left out. A device that has given all its answers
//! is silent.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use meter95_reading::Timestamp;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

use crate::exchange::Exchange;
use crate::health::Entry;
use crate::transport::udp::canned::{Canned, Wrap};
use crate::visit::Visit;
use crate::{AuthProtocol, Credentials, Device, Options, Outcome, PrivacyProtocol, Secret, User, ports};

/// The most answers that an input holds; one more than a pass and a second one over few ports need.
const ANSWERS_MAX: usize = 32;

/// Two users, with and without privacy, made once: their keys take milliseconds.
static USERS: OnceLock<Option<[User; 2]>> = OnceLock::new();

thread_local! {
    static RUNTIME: Option<Runtime> = Builder::new_current_thread().enable_time().build().ok();
}

/// Takes one input, and returns how many readings or ports came of it. Whatever it is, this comes back, and nothing that
/// was read contradicts itself.
///
/// # Panics
/// When it does, which is for the fuzzer to see.
pub fn answer(input: &[u8]) -> usize {
    let [how, what, rest @ ..] = input else { return 0 };
    let answers = answers(rest);
    let Some((device, wrap)) = device(*how) else { return 0 };
    // Nobody waits for a canned device.
    let options = Options { attempts: 1, retry_pause: Duration::ZERO, ..Options::default() };
    RUNTIME.with(|runtime| {
        let Some(runtime) = runtime else { return 0 };
        let session = Canned::session(&device, &options, wrap, &answers);
        runtime.block_on(async {
            if what & 1 == 0 {
                let entry = Entry::new(device.name());
                let clock = Arc::new(|| Timestamp(1_790_776_800_000));
                let mut visit = Visit::new(session, Arc::new(device), Arc::new(options), clock, entry);
                let mut readings = 0;
                for _ in 0..2 {
                    let pass = visit.pass().await;
                    check(&pass);
                    readings += pass.readings.len();
                }
                readings
            } else {
                let exchange = Exchange::new(&session, &options, Instant::now() + options.pass_deadline);
                let ports = ports::list(&exchange, options.walk_rows).await.unwrap_or_default();
                assert!(ports.windows(2).all(|pair| pair[0].index < pair[1].index), "{ports:?}");
                ports.len()
            }
        })
    })
}

/// What holds of every pass.
fn check(pass: &crate::Pass) {
    assert!(pass.readings.len() <= pass.expected, "{pass:?}");
    assert!(pass.outcome != Outcome::Silent || pass.readings.is_empty(), "{pass:?}");
    assert!(pass.outcome == Outcome::Complete || pass.failures.total() > 0, "{pass:?}");
    let mut names: Vec<&str> = pass.readings.iter().map(|reading| reading.port.interface()).collect();
    assert!(names.iter().all(|name| !name.is_empty()), "{pass:?}");
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{pass:?}");
}

/// The device as an input has it asked.
fn device(how: u8) -> Option<(Device, Wrap)> {
    let [private, signed] = USERS.get_or_init(users).as_ref()?;
    let v3 = |user: &User| Credentials::V3 { user: user.clone() };
    let (credentials, wrap) = match how % 5 {
        0 => (Credentials::V2c { community: Secret::new("hush").ok()? }, Wrap::Bare),
        1 => (v3(private), Wrap::Encrypted),
        2 => (v3(signed), Wrap::Signed),
        // Signed answers to who asked for encrypted ones: reports come so.
        3 => (v3(private), Wrap::Signed),
        _ => (v3(private), Wrap::Bare),
    };
    Some((Device::new("sw1", ([127, 0, 0, 1], 161).into(), credentials).ok()?, wrap))
}

fn users() -> Option<[User; 2]> {
    let [auth, privacy] = [Secret::new("authentic").ok()?, Secret::new("encrypted").ok()?];
    let auth = (AuthProtocol::Sha1, &auth);
    let private = User::new("meter95", auth, (PrivacyProtocol::Aes128, &privacy)).ok()?;
    Some([private, User::without_privacy("meter95", auth).ok()?])
}

/// The answers that an input holds.
fn answers(mut rest: &[u8]) -> Vec<&[u8]> {
    let mut answers = Vec::new();
    while let [high, low, behind @ ..] = rest
        && answers.len() < ANSWERS_MAX
    {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(behind.len());
        let (answer, next) = behind.split_at(length);
        answers.push(answer);
        rest = next;
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_that_were_found_are_taken() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/corpus/snmp_answer");
        let mut inputs = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let came = answer(&std::fs::read(&path).unwrap());
            let name = path.file_name().unwrap().to_str().unwrap();
            let expected = match name.split_once('-') {
                Some((_, "pass" | "moved")) => 4,
                Some((_, "list" | "narrow" | "error")) => 2,
                Some(_) => 0,
                // The fuzzer's own names say nothing.
                None => came,
            };
            assert_eq!(came, expected, "{name}");
            inputs += 1;
        }
        assert!(inputs > 5, "{inputs} inputs");
    }
}
