//! A device's task in simulated time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::*;
use crate::mib::{Column, SYS_UP_TIME, Value, Varbind};
use crate::transport::{Answer, Ask};
use crate::{Credentials, Failure, Outcome, Secret};

/// 2026-09-30T14:00:00Z, when simulated time begins.
const BEGIN_MS: i64 = 1_790_776_800_000;

/// A device with `ports` ports whose answers take `round_trip`.
struct Agent {
    ports: u32,
    round_trip: Duration,
    silent: Mutex<bool>,
    in_flight: AtomicU32,
    in_flight_max: AtomicU32,
    requests: AtomicU32,
}

impl Agent {
    fn new(ports: u32, round_trip_ms: u64) -> Arc<Self> {
        Arc::new(Self {
            ports,
            round_trip: Duration::from_millis(round_trip_ms),
            silent: Mutex::new(false),
            in_flight: AtomicU32::new(0),
            in_flight_max: AtomicU32::new(0),
            requests: AtomicU32::new(0),
        })
    }

    fn silence(&self, silent: bool) {
        *self.silent.lock().unwrap() = silent;
    }

    fn value(oid: &[u32]) -> Value {
        let index = oid.last().copied().unwrap();
        match oid {
            SYS_UP_TIME => Value::TimeTicks(1),
            _ if oid.starts_with(Column::Name.prefix()) => Value::Octets(format!("eth{index}").into()),
            _ if oid.starts_with(Column::HighSpeed.prefix()) => Value::Gauge32(1_000),
            _ if oid.starts_with(Column::Discontinuity.prefix()) => Value::TimeTicks(0),
            _ => Value::Counter64(u64::from(index)),
        }
    }

    fn answer(&self, ask: Ask<'_>) -> Vec<Varbind> {
        match ask {
            Ask::Get(oids) => {
                oids.iter().map(|oid| Varbind { oid: oid.clone(), value: Self::value(&oid.0) }).collect()
            }
            Ask::Next { from, rows } => {
                let last = if from.0.len() == 12 { from.0[11] } else { 0 };
                let indexes = last + 1..=self.ports.min(last + rows);
                let mut varbinds: Vec<Varbind> = indexes
                    .map(|index| Column::Name.cell(index))
                    .map(|oid| Varbind { value: Self::value(&oid.0), oid })
                    .collect();
                if varbinds.len() < usize::try_from(rows).unwrap() {
                    varbinds.push(Varbind { oid: from.clone(), value: Value::EndOfMibView });
                }
                varbinds
            }
        }
    }
}

impl Session for Arc<Agent> {
    async fn ask(&self, ask: Ask<'_>) -> Result<Answer, Failure> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let in_flight = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.in_flight_max.fetch_max(in_flight, Ordering::Relaxed);
        let silent = *self.silent.lock().unwrap();
        let wait = if silent { Options::default().request_timeout } else { self.round_trip };
        sleep(wait).await;
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        if silent {
            return Err(Failure::Timeout);
        }
        let varbinds = self.answer(ask);
        Ok(Answer { varbinds, arrived: Instant::now(), round_trip: self.round_trip, rejected: 0 })
    }
}

/// The task of a device called `sw1`, visited every 60 s.
struct Task {
    passes: Receiver<Pass>,
    entry: Arc<Entry>,
    stop: CancellationToken,
    handle: JoinHandle<()>,
}

fn start(agent: &Arc<Agent>, options: Options, room: usize) -> Task {
    let begin = Instant::now();
    let clock = move || Timestamp(BEGIN_MS).plus_ms(millis(begin.elapsed()));
    let credentials = Credentials::V2c { community: Secret::new("c").unwrap() };
    let device = Arc::new(Device::new("sw1", "192.0.2.1:161".parse().unwrap(), credentials).unwrap());
    let entry = Entry::new("sw1");
    let visit = Visit::new(Arc::clone(agent), device, Arc::new(options), Arc::new(clock), Arc::clone(&entry));
    let (out, passes) = mpsc::channel(room);
    let stop = CancellationToken::new();
    let handle = tokio::spawn(attend(visit, Duration::from_millis(20), out, stop.clone()));
    Task { passes, entry, stop, handle }
}

/// Seconds between the beginnings of the passes to come.
async fn gaps(task: &mut Task, mut last: Timestamp, count: usize) -> Vec<i64> {
    let mut gaps = Vec::new();
    for _ in 0..count {
        let pass = task.passes.recv().await.unwrap();
        gaps.push(pass.started.ms_since(last) / 1_000);
        last = pass.started;
    }
    gaps
}

#[tokio::test(start_paused = true)]
async fn passes_keep_their_phase() {
    let mut task = start(&Agent::new(3, 50), Options::default(), 8);
    let first = task.passes.recv().await.unwrap();
    assert!(first.started.0 - BEGIN_MS < 20, "the first comes at once");
    let phase = schedule::phase_ms("sw1", 60_000);
    let mut last = first.started;
    for _ in 0..5 {
        let pass = task.passes.recv().await.unwrap();
        assert_eq!(pass.started.0.rem_euclid(60_000), phase);
        assert!((30_000..90_000).contains(&pass.started.ms_since(last)));
        assert_eq!((pass.readings.len(), pass.outcome), (3, Outcome::Complete), "{}", pass.failures);
        last = pass.started;
    }
}

#[tokio::test(start_paused = true)]
async fn a_reading_is_dated_in_the_middle_of_its_round_trip() {
    let mut task = start(&Agent::new(1, 400), Options::default(), 8);
    task.passes.recv().await.unwrap();
    let pass = task.passes.recv().await.unwrap();
    assert_eq!(pass.readings[0].counters.time.ms_since(pass.started), 200);
    assert_eq!((pass.took, pass.round_trip), (Duration::from_millis(400), Some(Duration::from_millis(400))));
}

#[tokio::test(start_paused = true)]
async fn two_requests_at_most_are_in_flight() {
    let agent = Agent::new(100, 50);
    let mut task = start(&agent, Options::default(), 8);
    let pass = task.passes.recv().await.unwrap();
    assert_eq!((pass.readings.len(), pass.outcome), (100, Outcome::Complete), "{}", pass.failures);
    assert_eq!(agent.in_flight_max.load(Ordering::Relaxed), 2);
    // Four ports a request, 25 requests in pairs, behind a walk of three.
    assert_eq!((pass.requests, pass.took), (28, Duration::from_millis(16 * 50)));
}

#[tokio::test(start_paused = true)]
async fn a_silent_device_is_visited_ever_more_rarely_until_it_answers() {
    let agent = Agent::new(3, 50);
    let mut task = start(&agent, Options::default(), 8);
    task.passes.recv().await.unwrap();
    let pass = task.passes.recv().await.unwrap();
    agent.silence(true);
    assert_eq!(gaps(&mut task, pass.started, 6).await, [60, 60, 120, 240, 300, 300]);
    assert_eq!(task.entry.snapshot().passes_skipped, 0, "rarer on purpose, not late");
    agent.silence(false);
    agent.requests.store(0, Ordering::Relaxed);
    let pass = task.passes.recv().await.unwrap();
    assert_eq!((pass.readings.len(), pass.outcome), (3, Outcome::Complete));
    assert_eq!(agent.requests.load(Ordering::Relaxed), 3, "a probe, the listing that is due, the ports");
    assert_eq!(gaps(&mut task, pass.started, 2).await, [60, 60]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_loses_nothing_and_is_noticed() {
    let mut task = start(&Agent::new(3, 50), Options::default(), 1);
    sleep(Duration::from_secs(600)).await;
    let mut starts = Vec::new();
    for _ in 0..3 {
        let pass = task.passes.recv().await.unwrap();
        assert_eq!(pass.readings.len(), 3);
        starts.push(pass.started);
    }
    // One lay in the channel, one waited, the third was made when there was room again.
    assert!(starts[1].ms_since(starts[0]) < 90_000 && starts[2].ms_since(starts[1]) > 480_000, "{starts:?}");
    let health = task.entry.snapshot();
    assert_eq!((health.passes, health.passes_blocked), (3, 1));
    assert!(health.blocked > Duration::from_secs(480), "{:?}", health.blocked);
    assert!((8..=9).contains(&health.passes_skipped), "{}", health.passes_skipped);
}

#[tokio::test(start_paused = true)]
async fn a_pass_ends_at_its_deadline_with_what_it_has() {
    // A walk and nine pairs of requests, a second each.
    let agent = Agent::new(36, 1_000);
    let options = Options { pass_deadline: Duration::from_millis(4_500), ..Options::default() };
    let mut task = start(&agent, options, 8);
    let pass = task.passes.recv().await.unwrap();
    assert_eq!(pass.took, Duration::from_millis(4_500));
    assert_eq!((pass.readings.len(), pass.expected, pass.outcome), (24, 36, Outcome::Partial));
    assert_eq!(pass.failures.get(Failure::Deadline), 3, "{}", pass.failures);
}

#[tokio::test(start_paused = true)]
async fn a_poller_that_is_told_to_stop_stops() {
    let agent = Agent::new(3, 60_000);
    let task = start(&agent, Options::default(), 1);
    sleep(Duration::from_secs(1)).await;
    assert!(agent.requests.load(Ordering::Relaxed) > 0, "amid a pass");
    task.stop.cancel();
    task.handle.await.unwrap();

    let task = start(&Agent::new(3, 50), Options::default(), 1);
    sleep(Duration::from_secs(1)).await;
    drop(task.passes);
    task.handle.await.unwrap();

    // A pass that nobody takes holds up the end for a moment only.
    let task = start(&Agent::new(3, 50), Options::default(), 1);
    sleep(Duration::from_secs(300)).await;
    let since = Instant::now();
    task.stop.cancel();
    task.handle.await.unwrap();
    assert_eq!(since.elapsed().as_secs(), STOP_GRACE.as_secs());
}
