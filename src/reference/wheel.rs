//! ONNX Runtime in its Python wheels: which one is for whom, and the libraries in it.

use std::io::{self, Read, Seek};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

/// A build of ONNX Runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// For the processor.
    Cpu,
    /// For NVIDIA cards with CUDA 12.
    Cuda12,
    /// For NVIDIA cards with CUDA 13.
    Cuda13,
}

impl Variant {
    /// Every build.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Cuda12, Self::Cuda13];

    /// The build's name, as it is typed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda12 => "cuda12",
            Self::Cuda13 => "cuda13",
        }
    }
}

impl std::str::FromStr for Variant {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|variant| variant.as_str() == word)
            .ok_or_else(|| format!("`{word}` is not one of cpu, cuda12, cuda13"))
    }
}

/// A wheel, down to the last bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wheel {
    /// The package.
    pub project: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The rest of the file's name. The version of Python does not matter: only libraries are taken out.
    pub tags: &'static str,
    /// SHA-256 of the file.
    pub sha256: &'static str,
    /// About how large it is, in megabytes.
    pub megabytes: u32,
}

const fn cpu(tags: &'static str, sha256: &'static str) -> Wheel {
    Wheel { project: "onnxruntime", version: "1.31.1", tags, sha256, megabytes: 24 }
}

const fn cuda(version: &'static str, tags: &'static str, sha256: &'static str) -> Wheel {
    Wheel { project: "onnxruntime-gpu", version, tags, sha256, megabytes: 256 }
}

/// Which wheel is for which system and processor, as Rust calls them. 1.26 is the last one for CUDA 12.
const WHEELS: [(Variant, &str, &str, Wheel); 10] = [
    (
        Variant::Cpu,
        "linux",
        "x86_64",
        cpu("manylinux_2_28_x86_64", "1f3dea47f2f0e5117c2404cea7d21fd253ae7836a3bf167a501cdfbb2600d536"),
    ),
    (
        Variant::Cpu,
        "linux",
        "aarch64",
        cpu("manylinux_2_28_aarch64", "0b9a492176886992e0e875f06bc0367e333f5fff11711a2d642e18b02f3009cc"),
    ),
    (
        Variant::Cpu,
        "macos",
        "aarch64",
        cpu("macosx_14_0_arm64", "96dd2564b10ea7153ad9c207e7cd8e5917cb3ba521e0e0a62ac03486fdc8d56c"),
    ),
    (
        Variant::Cpu,
        "windows",
        "x86_64",
        cpu("win_amd64", "ae8a9a351efda685cc59a66226cdefaa37a126c1d66872ca23a2de9425326130"),
    ),
    (
        Variant::Cpu,
        "windows",
        "aarch64",
        cpu("win_arm64", "fe8b9ac1ae8e894e12c47ee82e4f6dfc1835768133687257866469fda80d0bf1"),
    ),
    (
        Variant::Cuda13,
        "linux",
        "x86_64",
        cuda(
            "1.31.1",
            "manylinux_2_28_x86_64",
            "05d548956197b9d01f59b625de740e0d6be3593f874e241a12dc0362650ecdf7",
        ),
    ),
    (
        Variant::Cuda13,
        "linux",
        "aarch64",
        cuda(
            "1.31.1",
            "manylinux_2_34_aarch64",
            "a0f1725c5a6d1ef82d63498b5ebc25e2c90c9560e91dc76db9be4a49162d4d33",
        ),
    ),
    (
        Variant::Cuda13,
        "windows",
        "x86_64",
        cuda("1.31.1", "win_amd64", "2bb1e9373baba88f6415257f5b6a589d23e23c16004f7d89adf4344eada5749e"),
    ),
    (
        Variant::Cuda12,
        "linux",
        "x86_64",
        cuda(
            "1.26.0",
            "manylinux_2_27_x86_64.manylinux_2_28_x86_64",
            "3c01119ed4d9449d60367fa8ccffcd02bd3fe736754284e4b198d131f54edad6",
        ),
    ),
    (
        Variant::Cuda12,
        "windows",
        "x86_64",
        cuda("1.26.0", "win_amd64", "5f49c44689894650990e4c8a857d2edafc276fbd79bba57ceb224bd18d25d491"),
    ),
];

impl Wheel {
    /// The wheel for this machine; none where nobody makes one.
    pub fn here(variant: Variant) -> Option<Self> {
        WHEELS
            .into_iter()
            .find(|(one, os, arch, _)| {
                *one == variant && *os == std::env::consts::OS && *arch == std::env::consts::ARCH
            })
            .map(|(_, _, _, wheel)| wheel)
    }

    /// The file's name.
    pub fn file(&self) -> String {
        format!("{}-{}-cp312-cp312-{}.whl", self.project.replace('-', "_"), self.version, self.tags)
    }

    /// The link to the file in its project's page of an index (PEP 503); none if the page has none.
    pub(super) fn link(&self, page: &str) -> Option<String> {
        let file = self.file();
        let links = page.split("href=").skip(1).filter_map(|rest| {
            let quote = rest.chars().next().filter(|quote| "\"'".contains(*quote))?;
            rest[1..].split(quote).next()
        });
        let mut links = links.map(|link| link.replace("&amp;", "&"));
        links.find(|link| {
            let path = link.split(['#', '?']).next().unwrap_or_default();
            path.rsplit('/').next() == Some(&file)
        })
    }
}

/// Takes ONNX Runtime's libraries out of a wheel, and tells their names.
pub(super) fn unpack(wheel: impl Read + Seek, folder: &Path) -> Result<Vec<String>, ZipError> {
    let mut archive = ZipArchive::new(wheel)?;
    let mut names = Vec::new();
    for index in 0..archive.len() {
        let mut member = archive.by_index(index)?;
        // A plain name in the one folder that has libraries; nothing that could lead elsewhere.
        let name = member.name()?.strip_prefix("onnxruntime/capi/").map(str::to_owned);
        let Some(name) = name.filter(|name| is_library(name)) else { continue };
        io::copy(&mut member, &mut std::fs::File::create(folder.join(&name))?)?;
        names.push(name);
    }
    Ok(names)
}

/// Whether a file is ONNX Runtime or one of its providers, and not the module for Python.
fn is_library(name: &str) -> bool {
    let is_ours = name.starts_with("libonnxruntime") || name.starts_with("onnxruntime");
    let is_library = name.contains(".so") || [".dylib", ".dll"].iter().any(|ending| name.ends_with(ending));
    is_ours && is_library && !name.contains("pybind") && !name.contains(['/', '\\'])
}
