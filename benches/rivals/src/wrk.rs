//! The highest rate of answers, by `wrk`.

use std::{error::Error, fmt::Write, fs, net::SocketAddr, process::Command};

use rivals::by_hand::{SigningKey, now};
use tempfile::NamedTempFile;

/// What came back in a turn.
pub(crate) struct Answers {
    pub(crate) number: f64,
    pub(crate) seconds: f64,
}

/// Calls these paths in turns as fast as they are answered. All answers have to be 200.
pub(crate) fn run(
    address: SocketAddr,
    paths: &[String],
    key: &SigningKey,
    connections: usize,
    seconds: u32,
) -> Result<Answers, Box<dyn Error>> {
    let calls = NamedTempFile::new()?;
    let mut text = String::new();
    for path in paths {
        let headers = key.sign(path, "live", now());
        let (timestamp, signature, mode) = (headers.timestamp, headers.signature, headers.mode);
        writeln!(text, "{path} {timestamp} {signature} {mode}")?;
    }
    fs::write(calls.path(), text)?;
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads", "1", "--connections", &connections.to_string()]);
    wrk.args(["--duration", &format!("{seconds}s"), "--timeout", "10s"]);
    wrk.arg("--script");
    wrk.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/src/signed.lua"));
    wrk.arg(format!("http://{address}"))
        .arg("--")
        .arg(calls.path());
    let ended = wrk.output().map_err(|error| {
        format!("can't run wrk: {error}; install it, as with `apt-get install wrk`")
    })?;
    let output = String::from_utf8_lossy(&ended.stdout);
    let line = output.lines().find(|line| line.starts_with("answers "));
    let words: Vec<&str> = line.unwrap_or_default().split(' ').collect();
    let &[_, number, _, microseconds, _, failed] = words.as_slice() else {
        let complaint = String::from_utf8_lossy(&ended.stderr);
        return Err(format!("wrk ended without figures: {output}{complaint}").into());
    };
    if failed != "0" {
        return Err(format!("{failed} of {number} calls by wrk were not answered 200").into());
    }
    Ok(Answers {
        number: number.parse()?,
        seconds: microseconds.parse::<f64>()? / 1e6,
    })
}
