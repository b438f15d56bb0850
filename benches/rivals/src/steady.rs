//! Calls at a steady rate over some connections.
//!
//! Each call has a time at which it is due, and its latency is counted from then: a call that has to wait for a free
//! connection is a slow one. Nothing sleeps here, because a timer of milliseconds would be slower than what is measured.

use std::{
    error::Error,
    hint::spin_loop,
    net::SocketAddr,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use rivals::client::{Call, Connection};

/// How long after the last call its answer may come.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes the calls in turns, this many a second. How long each took, in microseconds.
pub(crate) fn run(
    address: SocketAddr,
    calls: &[Call],
    connections: usize,
    rate: f64,
    lasts: Duration,
) -> Result<Histogram<u64>, Box<dyn Error>> {
    let every = Duration::from_secs_f64(1.0 / rate);
    let mut idle = Vec::with_capacity(connections);
    for _ in 0..connections {
        let connection = Connection::open(address)?;
        connection.never_wait()?;
        idle.push(connection);
    }
    let mut busy: Vec<(Connection, Instant)> = Vec::with_capacity(connections);
    let mut taken = Histogram::new(3)?;
    let begun = Instant::now();
    let end = begun + lasts;
    let mut due = begun;
    let mut next = calls.iter().cycle();
    loop {
        while due < end
            && due <= Instant::now()
            && let Some(mut connection) = idle.pop()
        {
            connection.send(next.next().ok_or("there are no calls")?)?;
            busy.push((connection, due));
            due += every;
        }
        let mut at = 0;
        while let Some((connection, since)) = busy.get_mut(at) {
            match connection.answer()? {
                None => at += 1,
                Some(answer) if answer.status == 200 => {
                    taken.record(since.elapsed().as_micros().try_into()?)?;
                    let (connection, _) = busy.swap_remove(at);
                    idle.push(connection);
                }
                Some(answer) => return Err(format!("a call was answered {}", answer.status).into()),
            }
        }
        let now = Instant::now();
        if now > end + PATIENCE {
            return Err("the server fell behind at half of its highest rate".into());
        }
        if due >= end && busy.is_empty() {
            return Ok(taken);
        }
        spin_loop();
    }
}
