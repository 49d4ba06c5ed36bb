//! The strings of `defmt` are linked where it is used.

fn main() {
    println!("cargo:rustc-link-arg-bin=logging=-Tdefmt.x");
}
