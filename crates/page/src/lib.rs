//! The files of the web page, inside the program.
//!
//! A crate of its own that only the program knows: a change of the page compiles no server again.

use std::borrow::Cow;

use rust_embed::RustEmbed;

/// What Vite made of `web/`. The program builds without it too.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Built;

/// A file of the page by its path, such as `index.html`; none where the page was not built, or has no such file.
#[must_use]
pub fn file(path: &str) -> Option<Cow<'static, [u8]>> {
    Built::get(path).map(|file| file.data)
}
