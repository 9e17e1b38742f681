//! Files that are always whole: the old one or the new one, whenever the program ends.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Replaces a file atomically: writes a temporary file beside it, syncs it to disk and renames it.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = temporary_name(path).ok_or_else(|| {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "it is no name of a file");
        Error::File { action: "write", path: path.display().to_string(), source }
    })?;
    let written = write_and_rename(&temporary, path, bytes);
    if written.is_err() {
        // The remains are useless. The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(|source| Error::File { action: "write", path: path.display().to_string(), source })
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|source| Error::File { action: "read", path: path.display().to_string(), source })
}

fn write_and_rename(temporary: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(temporary, path)?;
    sync_folder(path)
}

/// Makes the renaming durable. Only Unix lets a program open a folder to sync it.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// A name in the same folder, because files can be renamed only within one disk. The process id keeps two runs from
/// writing to the same file. `None` for paths that do not name a file.
fn temporary_name(path: &Path) -> Option<PathBuf> {
    let mut name = OsString::from(".");
    name.push(path.file_name()?);
    name.push(format!(".{}.tmp", std::process::id()));
    Some(path.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        for text in ["first", "second"] {
            write_atomically(&path, text.as_bytes()).unwrap();
            assert_eq!(read(&path).unwrap(), text.as_bytes());
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_names_it() {
        let folder = tempfile::tempdir().unwrap();
        // A folder cannot be replaced by a file.
        let path = folder.path().join("taken");
        fs::create_dir_all(path.join("inside")).unwrap();
        let message = write_atomically(&path, b"text").unwrap_err().to_string();
        assert!(message.starts_with(&format!("cannot write {}: ", path.display())), "{message}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let unnamed = write_atomically(&folder.path().join(".."), b"text").unwrap_err().to_string();
        assert!(unnamed.ends_with("it is no name of a file"), "{unnamed}");
        let missing = read(&folder.path().join("missing")).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read ") && missing.contains("missing"), "{missing}");
    }
}
