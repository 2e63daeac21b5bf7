//! Archives of files: unpacked into a folder that lives as long as the import.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use tempfile::TempDir;

use crate::content::Content;
use crate::discover::Source;
use crate::error::Fault;
use crate::read::Input;
use crate::reason;
use crate::zip::{self, Zip};

/// Bytes that any archive may unpack to, and how many times its own size beyond that.
const UNPACKED_BYTES_MIN: u64 = 256 << 20;
const UNPACKED_RATIO: u64 = 200;
/// Members unpacked at most.
const MEMBERS_MAX: usize = 1_000_000;

/// Where a tar archive has its magic.
const TAR_MAGIC_AT: usize = 257;

/// What was unpacked from an archive.
#[derive(Debug)]
pub(crate) struct Unpacked {
    pub(crate) folder: TempDir,
    /// Files, sorted by path.
    pub(crate) members: Vec<Member>,
    /// Members that were left out, and why.
    pub(crate) skipped: Vec<(String, String)>,
}

/// A file that was unpacked.
#[derive(Debug)]
pub(crate) struct Member {
    /// Path in the archive.
    pub(crate) name: String,
    /// Path on disk.
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

/// Unpacks a source if it is an archive of files. Archives in archives stay as they are.
pub(crate) fn unpack(source: &Source) -> Result<Option<Unpacked>, Fault> {
    // What cannot be opened is reported when it is looked at.
    let Ok(content) = source.open() else { return Ok(None) };
    let mut magic = Vec::with_capacity(4);
    if content.stream(0).take(4).read_to_end(&mut magic).is_err() {
        return Ok(None);
    }
    if magic == zip::MAGIC {
        return unpack_zip(source, content);
    }
    if is_tar(&content) { unpack_tar(source, &content).map(Some) } else { Ok(None) }
}

fn is_tar(content: &Content) -> bool {
    let mut block = Vec::with_capacity(512);
    let input = Input::open(content.stream(0), Rc::new(|_| {}));
    // Damaged bytes are no archive; what they are is told when they are looked at.
    let read = input.and_then(|input| input.take(512).read_to_end(&mut block));
    read.is_ok() && block.get(TAR_MAGIC_AT..).is_some_and(|rest| rest.starts_with(b"ustar"))
}

fn unpack_zip(source: &Source, content: Content) -> Result<Option<Unpacked>, Fault> {
    let zip = Zip::open(content)?;
    let (mut members, mut is_log) = (Vec::new(), false);
    zip.each_member(|name, member| {
        is_log = matches!(name, "header.json" | "_journal/start.json");
        if members.len() < MEMBERS_MAX {
            members.push((name.to_string(), member));
        }
        !is_log
    })?;
    if is_log {
        return Ok(None);
    }
    let mut unpacking = Unpacking::new(source)?;
    for (name, member) in members {
        match zip.read(&member) {
            Ok(mut data) => unpacking.add(&name, &mut data)?,
            Err(error) => unpacking.skipped.push((name, format!("cannot be unpacked: {error}"))),
        }
    }
    Ok(Some(unpacking.finish()))
}

fn unpack_tar(source: &Source, content: &Content) -> Result<Unpacked, Fault> {
    let damaged = |error: io::Error| {
        Fault::file(reason::CORRUPT_COMPRESSION, format!("the tar archive is damaged: {error}")).at(1, None)
    };
    let mut unpacking = Unpacking::new(source)?;
    let input = Input::open(content.stream(0), Rc::new(|_| {})).map_err(damaged)?;
    let mut archive = tar::Archive::new(input);
    for entry in archive.entries().map_err(damaged)?.take(MEMBERS_MAX) {
        let mut entry = entry.map_err(damaged)?;
        if entry.header().entry_type().is_file() {
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            unpacking.add(&name, &mut entry)?;
        }
    }
    Ok(unpacking.finish())
}

struct Unpacking {
    folder: TempDir,
    root: PathBuf,
    /// By path on disk: of two members with one path the later one lies there.
    members: BTreeMap<PathBuf, Member>,
    skipped: Vec<(String, String)>,
    bytes_left: u64,
}

impl Unpacking {
    /// Files lie in a folder that has the archive's name, because a folder's name is a project's.
    fn new(source: &Source) -> Result<Self, Fault> {
        let stem = source.stem();
        let stem =
            stem.strip_suffix(".zip").or(stem.strip_suffix(".tar")).or(stem.strip_suffix(".tgz")).unwrap_or(&stem);
        let folder = TempDir::new().map_err(|error| cannot_write(&error))?;
        let root = folder.path().join(if stem.is_empty() || stem == ".." { "archive" } else { stem });
        fs::create_dir_all(&root).map_err(|error| cannot_write(&error))?;
        let bytes_left = UNPACKED_BYTES_MIN.saturating_add(source.bytes.saturating_mul(UNPACKED_RATIO));
        Ok(Self { folder, root, members: BTreeMap::new(), skipped: Vec::new(), bytes_left })
    }

    fn add(&mut self, name: &str, data: &mut dyn Read) -> Result<(), Fault> {
        let Some(relative) = inner_path(name) else {
            self.skipped.push((name.to_string(), "its path leads out of the archive".into()));
            return Ok(());
        };
        if relative.components().any(|part| part.as_os_str().to_string_lossy().starts_with('.')) {
            return Ok(());
        }
        let path = self.root.join(&relative);
        let file = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| File::create(&path));
        let mut file = match file {
            Ok(file) => file,
            Err(error) => {
                self.skipped.push((name.to_string(), format!("cannot be unpacked: {error}")));
                return Ok(());
            }
        };
        match self.copy(data, &mut file)? {
            Ok(bytes) => {
                self.members.insert(path.clone(), Member { name: name.to_string(), path, bytes });
            }
            Err(error) => self.skipped.push((name.to_string(), format!("cannot be unpacked: {error}"))),
        }
        Ok(())
    }

    /// Copies a member. The outer error is of the whole archive, the inner one of the member.
    fn copy(&mut self, data: &mut dyn Read, file: &mut File) -> Result<io::Result<u64>, Fault> {
        let mut buffer = vec![0; 64 << 10];
        let mut bytes = 0;
        loop {
            let length = match data.read(&mut buffer) {
                Ok(0) => return Ok(Ok(bytes)),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Err(error)),
            };
            bytes += length as u64;
            self.bytes_left = self.bytes_left.checked_sub(length as u64).ok_or_else(too_large)?;
            file.write_all(&buffer[..length]).map_err(|error| cannot_write(&error))?;
        }
    }

    fn finish(self) -> Unpacked {
        Unpacked { folder: self.folder, members: self.members.into_values().collect(), skipped: self.skipped }
    }
}

/// The path of a member below the archive's folder; none if it leads elsewhere.
fn inner_path(name: &str) -> Option<PathBuf> {
    if name.contains(['\\', '\0', ':']) {
        return None;
    }
    let mut inner = PathBuf::new();
    for part in Path::new(name).components() {
        match part {
            Component::Normal(part) => inner.push(part),
            Component::CurDir => {}
            _ => return None,
        }
    }
    (!inner.as_os_str().is_empty()).then_some(inner)
}

fn too_large() -> Fault {
    let message = format!("the archive unpacks to more than {UNPACKED_RATIO} times its size");
    Fault::file(reason::ARCHIVE_TOO_LARGE, message)
        .at(1, None)
        .with_hint("if that is right, unpack it yourself and import the folder")
}

fn cannot_write(error: &io::Error) -> Fault {
    Fault::file(reason::UNREADABLE, format!("cannot be unpacked to the temporary folder: {error}")).at(1, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        assert_eq!(inner_path("a/./b.json"), Some(PathBuf::from("a/b.json")));
        for name in ["../x", "/etc/passwd", "a/../../x", "c:\\x", "a\\b", "", "."] {
            assert_eq!(inner_path(name), None, "{name}");
        }
    }
}
