//! From what the user names to the files to look at.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use evalhouse_model::SkippedFile;
use tempfile::{NamedTempFile, TempDir};

use crate::archive::{self, Unpacked};
use crate::bucket::Bucket;
use crate::content::Content;
use crate::error::ImportError;
use crate::plan::is_telling;

/// The name of standard input on the command line.
const STDIN: &str = "-";

/// One file to look at.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// As the user wrote it, with what a folder, pattern or archive added.
    pub(crate) label: String,
    /// The user named this file itself, not a folder, pattern or archive around it.
    pub(crate) is_named: bool,
    /// Size where it lies.
    pub(crate) bytes: u64,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    File(PathBuf),
    /// A file that was unpacked from an archive; its folder lives as long as its files are needed.
    Member(PathBuf, Arc<TempDir>),
    /// Standard input or a pipe, copied so that it can be read twice.
    Copy(Arc<NamedTempFile>),
    Object(Bucket, String),
}

impl Source {
    /// Opens the source.
    pub(crate) fn open(&self) -> io::Result<Content> {
        match &self.place {
            Place::File(path) | Place::Member(path, _) => Content::of_file(File::open(path)?),
            Place::Copy(copy) => Content::of_file(copy.reopen()?),
            Place::Object(bucket, key) => Ok(Content::of_object(bucket.object(key, self.bytes))),
        }
    }

    /// The file's name without its folder; nothing for standard input.
    pub(crate) fn file_name(&self) -> String {
        match &self.place {
            Place::File(path) | Place::Member(path, _) => name_of(path),
            Place::Copy(_) => String::new(),
            Place::Object(_, key) => key.rsplit('/').next().unwrap_or_default().to_string(),
        }
    }

    /// The project for rows that name none: the folder's name.
    pub(crate) fn folder_name(&self) -> Option<String> {
        self.folders().into_iter().next()
    }

    /// Names of the folders that the file lies in, the nearest first; of an archive those in it, and its
    /// own.
    pub(crate) fn folders(&self) -> Vec<String> {
        let of_path = |path: &Path, above: &Path| {
            let (path, above) =
                (fs::canonicalize(path).unwrap_or_default(), fs::canonicalize(above).unwrap_or_default());
            let inner = path.strip_prefix(&above).unwrap_or(&path);
            inner.ancestors().skip(1).map(name_of).filter(|name| !name.is_empty()).collect()
        };
        match &self.place {
            Place::File(path) => of_path(path, Path::new("/")),
            Place::Member(path, folder) => of_path(path, folder.path()),
            Place::Copy(_) => Vec::new(),
            Place::Object(_, key) => {
                key.rsplit('/').skip(1).filter(|name| !name.is_empty()).map(str::to_string).collect()
            }
        }
    }

    /// The experiment for rows that name none: the file's name without its endings.
    pub(crate) fn stem(&self) -> String {
        let name = self.file_name();
        if name.is_empty() {
            return "stdin".into();
        }
        let mut stem = name.as_str();
        let endings: [&[&str]; 2] =
            [&[".gz", ".zst", ".zstd"], &[".ndjson", ".jsonl", ".json", ".eval", ".csv", ".tsv", ".parquet"]];
        for endings in endings {
            let shorter = endings.iter().find_map(|ending| stem.strip_suffix(ending));
            stem = shorter.filter(|shorter| !shorter.is_empty()).unwrap_or(stem);
        }
        stem.to_string()
    }

    /// What tells that two sources are one file, however they are written.
    pub(crate) fn identity(&self) -> String {
        match &self.place {
            Place::File(path) => {
                fs::canonicalize(path).map_or_else(|_| self.label.clone(), |p| p.display().to_string())
            }
            _ => self.label.clone(),
        }
    }

    /// Names of the files that lie beside this one, sorted, itself among them.
    pub(crate) fn siblings(&self) -> Vec<String> {
        self.siblings_of(&self.file_name())
    }

    /// Names of the files that lie beside the one that a relative path leads to, sorted.
    pub(crate) fn siblings_of(&self, name: &str) -> Vec<String> {
        let mut names = match &self.place {
            Place::File(path) | Place::Member(path, _) => folder_files(&path.with_file_name(name)),
            Place::Copy(_) => Vec::new(),
            Place::Object(bucket, key) => bucket.siblings(&beside(key, name)).unwrap_or_default(),
        };
        names.sort();
        names
    }

    /// The file of a name, or of a relative path, beside this one.
    pub(crate) fn sibling(&self, name: &str) -> Option<Self> {
        // Without steps up in it, so that the label is the one under which a folder finds the file.
        let label = beside(&self.label, name);
        let file_beside = |path: &Path| path.parent().map(|folder| folder.join(name)).filter(|path| path.is_file());
        let (place, bytes) = match &self.place {
            Place::File(path) => {
                let path = file_beside(path)?;
                let bytes = fs::metadata(&path).ok()?.len();
                (Place::File(path), bytes)
            }
            Place::Member(path, folder) => {
                let path = file_beside(path)?;
                let bytes = fs::metadata(&path).ok()?.len();
                (Place::Member(path, Arc::clone(folder)), bytes)
            }
            Place::Copy(_) => return None,
            Place::Object(bucket, key) => {
                let key = beside(key, name);
                let bytes = bucket.size_of(&key)?;
                (Place::Object(bucket.clone(), key), bytes)
            }
        };
        Some(Self { label, is_named: self.is_named, bytes, place })
    }
}

/// The path of a file that is named by its way from another one; steps up beyond what is known stay.
fn beside(file: &str, mut name: &str) -> String {
    let above = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_string());
    let mut folder = above(file);
    while let (Some(known), Some(rest)) = (&folder, name.strip_prefix("../")) {
        if matches!(known.rsplit('/').next(), Some("" | "." | "..") | None) {
            break;
        }
        (folder, name) = (above(known), rest);
    }
    folder.map_or_else(|| name.to_string(), |folder| format!("{folder}/{name}"))
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn folder_files(path: &Path) -> Vec<String> {
    let entries = path.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let entries = entries.and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().is_file()).map(|entry| name_of(&entry.path())).collect()
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Discovered {
    /// Files to look at.
    pub(crate) sources: Vec<Source>,
    /// Members of archives that are left where they are, and why.
    pub(crate) skipped: Vec<SkippedFile>,
    /// Archives that cannot be unpacked, and why.
    pub(crate) failed: Vec<SkippedFile>,
}

/// Finds the files that `paths` name, each once, in the order of the paths and sorted within.
pub(crate) fn discover(paths: &[String]) -> Result<Discovered, ImportError> {
    if paths.is_empty() {
        return Err(ImportError::NothingNamed);
    }
    let mut found = Found::default();
    for path in paths {
        if path == STDIN {
            found.add_copy("<stdin>".into(), io::stdin().lock())?;
        } else if Bucket::is_url(path) {
            found.add_bucket(path)?;
        } else if fs::symlink_metadata(path).is_ok() || !path.contains(['*', '?', '[']) {
            found.add_named(path)?;
        } else {
            found.add_pattern(path)?;
        }
    }
    Ok(found.result)
}

#[derive(Default)]
struct Found {
    result: Discovered,
    seen: HashSet<PathBuf>,
    seen_objects: HashSet<String>,
}

impl Found {
    fn add_named(&mut self, path: &str) -> Result<(), ImportError> {
        let metadata = fs::metadata(path).map_err(|source| path_error(path, source))?;
        if metadata.is_dir() {
            self.add_folder(Path::new(path))
        } else if metadata.is_file() {
            self.add_file(Path::new(path), true)
        } else {
            let pipe = File::open(path).map_err(|source| path_error(path, source))?;
            self.add_copy(path.to_string(), pipe)
        }
    }

    fn add_pattern(&mut self, pattern: &str) -> Result<(), ImportError> {
        let matches = glob::glob(pattern)
            .map_err(|error| ImportError::Pattern { pattern: pattern.to_string(), message: error.msg.to_string() })?;
        for path in matches {
            let path = path.map_err(|e| path_error(&e.path().display().to_string(), e.into()))?;
            if !is_hidden(&path) {
                self.add_found(&path)?;
            }
        }
        Ok(())
    }

    fn add_bucket(&mut self, url: &str) -> Result<(), ImportError> {
        let (bucket, keys) = Bucket::find(url)?;
        for object in keys {
            let label = bucket.label(&object.key);
            if self.seen_objects.insert(label.clone()) {
                let place = Place::Object(bucket.clone(), object.key);
                self.add_source(Source { label, is_named: object.is_named, bytes: object.bytes, place });
            }
        }
        Ok(())
    }

    fn add_folder(&mut self, folder: &Path) -> Result<(), ImportError> {
        let error = |source| path_error(&folder.display().to_string(), source);
        if !self.seen.insert(fs::canonicalize(folder).map_err(error)?) {
            return Ok(());
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(error)? {
            entries.push(entry.map_err(error)?.path());
        }
        entries.sort();
        for path in entries.iter().filter(|path| !is_hidden(path)) {
            self.add_found(path)?;
        }
        Ok(())
    }

    /// Adds what a folder or pattern holds; a link that leads nowhere is passed.
    fn add_found(&mut self, path: &Path) -> Result<(), ImportError> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.add_folder(path),
            Ok(metadata) if metadata.is_file() => self.add_file(path, false),
            _ => Ok(()),
        }
    }

    fn add_file(&mut self, path: &Path, is_named: bool) -> Result<(), ImportError> {
        let label = path.display().to_string();
        let real = fs::canonicalize(path).map_err(|source| path_error(&label, source))?;
        let bytes = fs::metadata(&real).map_err(|source| path_error(&label, source))?.len();
        if self.seen.insert(real) {
            self.add_source(Source { label, is_named, bytes, place: Place::File(path.to_path_buf()) });
        }
        Ok(())
    }

    fn add_copy(&mut self, label: String, mut pipe: impl Read) -> Result<(), ImportError> {
        let copied = NamedTempFile::new().and_then(|mut copy| {
            let bytes = io::copy(&mut pipe, copy.as_file_mut())?;
            copy.as_file_mut().rewind()?;
            Ok((copy, bytes))
        });
        let (copy, bytes) = copied.map_err(|source| path_error(&label, source))?;
        self.add_source(Source { label, is_named: true, bytes, place: Place::Copy(Arc::new(copy)) });
        Ok(())
    }

    /// Adds a file, or in place of an archive the files in it.
    fn add_source(&mut self, source: Source) {
        match archive::unpack(&source) {
            Ok(None) => self.result.sources.push(source),
            Ok(Some(unpacked)) => self.add_members(&source, unpacked),
            Err(fault) if source.is_named || is_telling(&source.file_name()) => {
                let reason = fault.render(&source.label);
                self.result.failed.push(SkippedFile { path: source.label, reason });
            }
            Err(fault) => self.result.skipped.push(SkippedFile { path: source.label, reason: fault.message }),
        }
    }

    fn add_members(&mut self, archive: &Source, unpacked: Unpacked) {
        let folder = Arc::new(unpacked.folder);
        for member in unpacked.members {
            let place = Place::Member(member.path, Arc::clone(&folder));
            let label = format!("{}/{}", archive.label, member.name);
            self.result.sources.push(Source { label, is_named: false, bytes: member.bytes, place });
        }
        let skipped = unpacked.skipped.into_iter();
        self.result
            .skipped
            .extend(skipped.map(|(name, reason)| SkippedFile { path: format!("{}/{name}", archive.label), reason }));
    }
}

pub(crate) fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

pub(crate) fn path_error(path: &str, source: io::Error) -> ImportError {
    ImportError::Path { path: path.to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(root: &Path, paths: &[&str]) -> Vec<String> {
        let paths: Vec<String> = paths.iter().map(|path| root.join(path).display().to_string()).collect();
        let prefix = format!("{}/", root.display());
        let sources = discover(&paths).unwrap().sources;
        sources.iter().map(|source| source.label.replace(&prefix, "")).collect()
    }

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        root
    }

    #[test]
    fn folders_are_walked_in_order_without_hidden_files() {
        let root = tree(&["b.json", "a/2.json", "a/1.json", ".git/x", "a/.y"]);
        assert_eq!(labels(root.path(), &[""]).len(), 3);
        assert_eq!(labels(root.path(), &["b.json", "a", "b.json"]), ["b.json", "a/1.json", "a/2.json"]);
        assert_eq!(labels(root.path(), &["*/[12].json"]), ["a/1.json", "a/2.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_back_or_nowhere_are_passed() {
        let root = tree(&["a/1.json"]);
        std::os::unix::fs::symlink(root.path(), root.path().join("a/loop")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.path().join("a/broken")).unwrap();
        assert_eq!(labels(root.path(), &["a"]), ["a/1.json"]);
    }

    #[test]
    fn a_missing_file_is_an_error() {
        assert!(discover(&["no/such/file".to_string()]).is_err());
        assert!(discover(&[]).is_err());
    }

    #[test]
    fn a_way_to_another_file_has_no_detours() {
        assert_eq!(beside("x/a/1.json", "../b/1.json"), "x/b/1.json");
        assert_eq!(beside("a/1.json", "../b/1.json"), "b/1.json");
        assert_eq!(beside("/a/1.json", "../b/1.json"), "/b/1.json");
        assert_eq!(beside("1.json", "../b/1.json"), "../b/1.json");
        assert_eq!(beside("./1.json", "../b/1.json"), "./../b/1.json");
        assert_eq!(beside("a/1.json", "2.json"), "a/2.json");
    }

    #[test]
    fn endings_are_no_part_of_a_name() {
        let stem = |name: &str| {
            let place = Place::File(PathBuf::from(name));
            Source { label: String::new(), is_named: true, bytes: 0, place }.stem()
        };
        assert_eq!(stem("x/Athene-70B.ndjson.zst"), "Athene-70B");
        assert_eq!(stem("gpt-4.1.jsonl"), "gpt-4.1");
        assert_eq!(stem("gpt-4.1"), "gpt-4.1");
        assert_eq!(stem("log.eval"), "log");
        assert_eq!(stem(".json"), ".json");
    }
}
