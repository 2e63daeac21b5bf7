//! From what the user names to the files to look at.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::ImportError;

/// The name of standard input on the command line.
const STDIN: &str = "-";

/// One file to look at.
#[derive(Debug)]
pub(crate) struct Source {
    /// As the user wrote it, with what a folder or pattern added.
    pub(crate) label: String,
    /// The user named this file itself, not a folder or pattern around it.
    pub(crate) is_named: bool,
    /// Size on disk.
    pub(crate) bytes: u64,
    place: Place,
}

#[derive(Debug)]
enum Place {
    File(PathBuf),
    /// Standard input or a pipe, copied so that it can be read twice.
    Copy(NamedTempFile),
}

impl Source {
    /// Opens the source at its start.
    pub(crate) fn open(&self) -> io::Result<File> {
        match &self.place {
            Place::File(path) => File::open(path),
            Place::Copy(copy) => copy.reopen(),
        }
    }

    /// The project for rows that name none: the folder's name.
    pub(crate) fn folder_name(&self) -> Option<String> {
        let Place::File(path) = &self.place else { return None };
        let folder = fs::canonicalize(path).ok()?;
        Some(folder.parent()?.file_name()?.to_string_lossy().into_owned())
    }

    /// The experiment for rows that name none: the file's name without its endings.
    pub(crate) fn stem(&self) -> String {
        let Place::File(path) = &self.place else { return "stdin".into() };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut stem = &*name;
        for endings in [[".gz", ".zst", ".zstd"], [".ndjson", ".jsonl", ".json"]] {
            let shorter = endings.iter().find_map(|ending| stem.strip_suffix(ending));
            stem = shorter.filter(|shorter| !shorter.is_empty()).unwrap_or(stem);
        }
        stem.to_string()
    }
}

/// Finds the files that `paths` name, each once, in the order of the paths and sorted within.
pub(crate) fn discover(paths: &[String]) -> Result<Vec<Source>, ImportError> {
    if paths.is_empty() {
        return Err(ImportError::NothingNamed);
    }
    let mut found = Found::default();
    for path in paths {
        if path == STDIN {
            found.add_copy("<stdin>".into(), io::stdin().lock())?;
        } else if fs::symlink_metadata(path).is_ok() || !path.contains(['*', '?', '[']) {
            found.add_named(path)?;
        } else {
            found.add_pattern(path)?;
        }
    }
    Ok(found.sources)
}

#[derive(Default)]
struct Found {
    sources: Vec<Source>,
    seen: HashSet<PathBuf>,
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
            self.sources.push(Source { label, is_named, bytes, place: Place::File(path.to_path_buf()) });
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
        self.sources.push(Source { label, is_named: true, bytes, place: Place::Copy(copy) });
        Ok(())
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn path_error(path: &str, source: io::Error) -> ImportError {
    ImportError::Path { path: path.to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(root: &Path, paths: &[&str]) -> Vec<String> {
        let paths: Vec<String> = paths.iter().map(|path| root.join(path).display().to_string()).collect();
        let prefix = format!("{}/", root.display());
        let sources = discover(&paths).unwrap();
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
    fn endings_are_no_part_of_a_name() {
        let stem = |name: &str| {
            let place = Place::File(PathBuf::from(name));
            Source { label: String::new(), is_named: true, bytes: 0, place }.stem()
        };
        assert_eq!(stem("x/Athene-70B.ndjson.zst"), "Athene-70B");
        assert_eq!(stem("gpt-4.1.jsonl"), "gpt-4.1");
        assert_eq!(stem("gpt-4.1"), "gpt-4.1");
        assert_eq!(stem(".json"), ".json");
    }
}
