//! A small disk in memory.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    process::Command,
};

use proof::BoxError;
use tempfile::TempDir;

/// A new server takes 40 MB or so, with one segment of its log.
const SIZE: &str = "size=128m,mode=755";

/// A file system of 128 MB, which is gone once this is dropped.
pub(crate) struct Disk {
    mounted: TempDir,
}

impl Disk {
    pub(crate) fn mount() -> Result<Self, BoxError> {
        let mounted = tempfile::Builder::new().prefix("small-disk-").tempdir()?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]);
        let output = mount.arg(mounted.path()).output()?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            return Err(format!(
                "can't mount a small disk: {}; run this as root, or leave disk-full and log-full out with --only",
                why.trim_end()
            )
            .into());
        }
        Ok(Self { mounted })
    }

    pub(crate) fn path(&self) -> &Path {
        self.mounted.path()
    }

    /// Takes all the space that is left.
    pub(crate) fn fill(&self) -> Result<(), BoxError> {
        let mut ballast = File::create(self.ballast())?;
        // In ever smaller pieces, down to a single byte.
        let mut piece = vec![0; 1024 * 1024];
        while !piece.is_empty() {
            match ballast.write(&piece) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => {
                    piece.truncate(piece.len() / 2);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Gives the space back.
    pub(crate) fn free(&self) -> io::Result<()> {
        fs::remove_file(self.ballast())
    }

    fn ballast(&self) -> PathBuf {
        self.mounted.path().join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Even if a process of the server is about to end and still has files open.
        let mut unmount = Command::new("umount");
        let _ = unmount.arg("--lazy").arg(self.mounted.path()).status();
    }
}
