//! What the system knows of processes, read from `/proc`.

use std::{error::Error, fs, time::Duration};

/// In which the kernel tells times to programs, whatever its own clock has.
const TICK: Duration = Duration::from_millis(10);

/// How much CPU time a process has used.
pub(crate) fn cpu(process: u32) -> Result<Duration, Box<dyn Error>> {
    Ok(Stat::of(process)?.own)
}

/// How much CPU time a process and its children have used, also those that have ended.
pub(crate) fn cpu_with_children(process: u32) -> Result<Duration, Box<dyn Error>> {
    let parent = Stat::of(process)?;
    let children = children(process)?.into_iter();
    // One that ended since it was listed is counted with its parent the next time.
    let children = children.filter_map(|child| Stat::of(child).ok());
    let running: Duration = children.map(|child| child.own).sum();
    Ok(parent.own + parent.ended_children + running)
}

/// How much memory of a process is resident, in megabytes of a million bytes.
pub(crate) fn resident(process: u32) -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kilobytes: f64 = kilobytes.ok_or("the process has no VmRSS")?.parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}

/// The children of this process whose program has this name.
pub(crate) fn own_children_named(name: &str) -> Result<Vec<u32>, Box<dyn Error>> {
    let mut children = children(std::process::id())?;
    children.retain(|child| {
        let found = fs::read_to_string(format!("/proc/{child}/comm"));
        found.is_ok_and(|found| found.trim_end() == name)
    });
    Ok(children)
}

/// The children of a process.
pub(crate) fn children(parent: u32) -> Result<Vec<u32>, Box<dyn Error>> {
    let entries = fs::read_dir("/proc")?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let processes = names.filter_map(|name| name.parse().ok());
    Ok(processes
        .filter(|process| Stat::of(*process).is_ok_and(|stat| stat.parent == parent))
        .collect())
}

struct Stat {
    parent: u32,
    own: Duration,
    ended_children: Duration,
}

impl Stat {
    fn of(process: u32) -> Result<Self, Box<dyn Error>> {
        let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The name in parentheses may hold anything. The field behind it is the third one of proc(5).
        let (_, fields) = text.rsplit_once(") ").ok_or("no name in /proc/.../stat")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let field = |number: usize| {
            fields
                .get(number - 3)
                .ok_or("too few fields in /proc/.../stat")
        };
        let ticks = |number: usize| -> Result<Duration, Box<dyn Error>> {
            Ok(TICK * field(number)?.parse::<u32>()?)
        };
        Ok(Self {
            parent: field(4)?.parse()?,
            own: ticks(14)? + ticks(15)?,
            ended_children: ticks(16)? + ticks(17)?,
        })
    }
}
