//! Links the strings of `defmt` to where its decoder looks for them, at addresses that fit in 16 bits.

fn main() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    println!("cargo:rerun-if-changed=strings.x");
    println!("cargo:rustc-link-arg-tests=-no-pie");
    println!("cargo:rustc-link-arg-tests=-T{folder}/strings.x");
}
