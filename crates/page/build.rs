//! What Vite made of `web/` is part of the program: it is built again when that changes.

fn main() {
    println!("cargo:rerun-if-changed=../../web/dist");
}
