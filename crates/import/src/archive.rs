//! Archives of files: unpacked into a folder that lives as long as the import.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use tempfile::TempDir;

use crate::content::Content;
use crate::discover::Source;
use crate::error::Fault;
use crate::look::is_of_inspect;
use crate::read::Input;
use crate::reason;
use crate::zip::{self, Zip};

/// Bytes that any archive may unpack to, and how many times its own size beyond that.
const UNPACKED_BYTES_MIN: u64 = 256 << 20;
const UNPACKED_RATIO: u64 = 200;
/// Members unpacked at most.
const MEMBERS_MAX: usize = 1_000_000;
/// Bytes that a tar archive may take to tell of its next member: headers with long names are read whole.
const TAR_HEADER_BYTES_MAX: u64 = 1 << 20;

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
        is_log = is_of_inspect(name);
        members.push((name.to_string(), member));
        !is_log && members.len() <= MEMBERS_MAX
    })?;
    if is_log {
        return Ok(None);
    }
    if members.len() > MEMBERS_MAX {
        return Err(too_many());
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
    let left = Rc::new(Cell::new(TAR_HEADER_BYTES_MAX));
    let mut archive = tar::Archive::new(Rationed { input, left: Rc::clone(&left) });
    let mut count = 0;
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        count += 1;
        if count > MEMBERS_MAX {
            return Err(too_many());
        }
        left.set(u64::MAX);
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        if kind.is_file() {
            unpacking.add(&name, &mut entry)?;
        } else if kind.is_symlink() || kind.is_hard_link() {
            unpacking.skipped.push((name, "is a link".into()));
        }
        // Here and not on the way to the next header, whose bytes are rationed.
        unpacking.pass(&mut entry)?;
        left.set(TAR_HEADER_BYTES_MAX);
    }
    Ok(unpacking.finish())
}

/// Gives bytes as long as there are some left.
struct Rationed {
    input: Input,
    left: Rc<Cell<u64>>,
}

impl Read for Rationed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        let left = self.left.get().checked_sub(length as u64);
        self.left.set(left.ok_or_else(|| io::Error::other("a header has more than 1 MiB"))?);
        Ok(length)
    }
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
        let root = folder.path().join(if matches!(stem, "" | "." | "..") { "archive" } else { stem });
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
                let member = Member { name: name.to_string(), path: path.clone(), bytes };
                if let Some(earlier) = self.members.insert(path, member) {
                    self.skipped.push((earlier.name, "another member of the same path comes after it".into()));
                }
            }
            Err(error) => self.skipped.push((name.to_string(), format!("cannot be unpacked: {error}"))),
        }
        Ok(())
    }

    /// Reads what is left of a member that is not wanted.
    fn pass(&mut self, data: &mut dyn Read) -> Result<(), Fault> {
        // What cannot be read on is told by the next header.
        self.copy(data, &mut io::sink()).map(|_| ())
    }

    /// Copies a member. The outer error is of the whole archive, the inner one of the member.
    fn copy(&mut self, data: &mut dyn Read, file: &mut dyn Write) -> Result<io::Result<u64>, Fault> {
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

fn too_many() -> Fault {
    Fault::file(reason::ARCHIVE_TOO_LARGE, format!("the archive has more than {MEMBERS_MAX} members"))
        .at(1, None)
        .with_hint("unpack it yourself and import the folder")
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
