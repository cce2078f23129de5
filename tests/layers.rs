//! Every module of the crate imports only from the layers below its own. `ARCHITECTURE.md` lists the layers. The files of a module, of the
//! benches, of the macros and of each program do not import each other in a circle.

#![cfg(not(miri))]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{
    Attribute, Item, Meta, UseTree,
    visit::{self, Visit},
};

const ARCHITECTURE: &str = include_str!("../ARCHITECTURE.md");

/// Returns the layer of each module. The lowest layer has the number 1.
fn layers() -> BTreeMap<&'static str, u32> {
    let rows = ARCHITECTURE.lines().filter_map(|line| {
        let [_, number, modules, ..] = line.split('|').collect::<Vec<_>>()[..] else { return None };
        Some((number.trim().parse::<u32>().ok()?, modules))
    });
    let in_backticks = |text: &'static str| text.split('`').skip(1).step_by(2);
    rows.flat_map(|(number, modules)| in_backticks(modules).map(move |name| (name, number)))
        .collect()
}

/// The imports of a file, as paths from the root of the crate.
struct Imports {
    /// The path of the module that is being visited.
    module: Vec<String>,
    found: BTreeSet<Vec<String>>,
}

impl Imports {
    fn of(root: &Path, path: &Path) -> BTreeSet<Vec<String>> {
        let mut imports = Imports { module: module_of(root, path), found: BTreeSet::new() };
        let text = fs::read_to_string(path).expect("the file can be read");
        imports.visit_file(&syn::parse_file(&text).expect("the file is Rust"));
        imports.found
    }

    /// Adds a path if it begins with `crate`, `self` or `super`. Any other path may begin with a module of this file.
    fn add(&mut self, path: &[String]) {
        let up = path.iter().take_while(|segment| *segment == "super").count();
        let (mut absolute, skip) = match path.first().map(String::as_str) {
            Some("crate") => (Vec::new(), 1),
            Some("super") => (self.module[..self.module.len().saturating_sub(up)].to_vec(), up),
            Some("self") => (self.module.clone(), 1),
            _ => (self.module.clone(), 0),
        };
        absolute.extend_from_slice(&path[skip..]);
        self.found.insert(absolute);
    }

    fn add_tree(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&path.tree, &with(path.ident.to_string())),
            UseTree::Name(name) => self.add(&with(name.ident.to_string())),
            UseTree::Rename(rename) => self.add(&with(rename.ident.to_string())),
            UseTree::Glob(_) => self.add(&with("*".to_owned())),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add_tree(tree, before));
            }
        }
    }
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.module.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_tree(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter().map(|segment| segment.ident.to_string());
        self.add(&segments.collect::<Vec<_>>());
        visit::visit_path(self, path);
    }

    /// Adds the paths in the text of a macro call. (The arguments of a macro call are not parsed.)
    fn visit_macro(&mut self, macro_call: &'ast syn::Macro) {
        // The text is split at quotes. Every second part is the content of a string, such as a doc comment.
        let text = macro_call.tokens.to_string().replace("\\\"", "");
        let text = text.split('"').step_by(2).collect::<String>().replace(' ', "");
        let roots = ["crate::", "super::", "self::"].into_iter();
        let starts = roots.flat_map(|root| text.match_indices(root).map(|(start, _)| start));
        for start in starts.filter(|start| !text[..*start].ends_with("::")) {
            let path = text[start..].split(|letter: char| !is_of_path(letter)).next();
            let path = path.into_iter().flat_map(|path| path.split("::")).map(str::to_owned);
            self.add(&path.filter(|segment| !segment.is_empty()).collect::<Vec<_>>());
        }
    }
}

fn is_of_path(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == ':'
}

fn is_for_tests(item: &Item) -> bool {
    let attributes: &[Attribute] = match item {
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        _ => &[],
    };
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => {
            let condition = list.tokens.to_string();
            list.path.is_ident("cfg") && (condition.contains("test") || condition == "doctest")
        }
        _ => false,
    })
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Returns the path of the module that a file contains.
fn module_of(root: &Path, path: &Path) -> Vec<String> {
    let relative = path.strip_prefix(root).expect("a file of the crate").with_extension("");
    let mut module: Vec<_> =
        relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| matches!(&**last, "mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a readable entry").path()).collect();
    paths.sort();
    let is_for_tests = |path: &PathBuf| path.file_stem().is_some_and(|name| name == "tests");
    paths.retain(|path| !is_for_tests(path));
    let files_of = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    let all = paths.into_iter().flat_map(files_of);
    all.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

#[test]
fn every_module_has_a_layer() {
    let layers = layers();
    for file in files(&source()) {
        if let Some(module) = module_of(&source(), &file).first() {
            assert!(layers.contains_key(&**module), "`{module}` is not in ARCHITECTURE.md");
        }
    }
}

#[test]
fn every_module_imports_only_from_the_layers_below() {
    let layers = layers();
    let mut wrong = Vec::new();
    for file in files(&source()) {
        let module = module_of(&source(), &file);
        let Some(own) = module.first() else { continue };
        for import in Imports::of(&source(), &file) {
            let Some(other) = import.first() else { continue };
            let is_below = match layers.get(&**other) {
                Some(layer) => *layer < layers[&**own] || other == own,
                // The import is an item of `lib.rs`, not a module. Only `__private` is allowed, which the exported macros of `lib.rs` use.
                None => other == "__private",
            };
            if !is_below {
                wrong.push(format!("{} imports {}", module.join("::"), import.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "these imports are not from a layer below:\n{}", wrong.join("\n"));
}

/// The files of a folder, and for each file the files of this folder that it imports.
type Files = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

/// Returns the imports between the files of `root`. If the name of an import is re-exported, the import counts as one from the file that
/// defines the name. A file may import from the `mod.rs` of its own folder, and a `mod.rs` may import from the files of its folder. So the
/// imports of a file from a `mod.rs` above it do not count. (The test does not see imports through a variable of a macro.)
fn imports_between_files(root: &Path) -> Files {
    let imports: Files =
        files(root).iter().map(|file| (module_of(root, file), Imports::of(root, file))).collect();
    // The longest path of a file that is a prefix of the path.
    let file_of = |path: &[String]| {
        (0..=path.len())
            .rev()
            .map(|len| path[..len].to_vec())
            .find(|file| imports.contains_key(file))
    };
    // A glob would hide which file defines a name.
    let of_another_file = |file: &Vec<String>, import: &Vec<String>| match import.split_last() {
        Some((last, module)) => last == "*" && module != file && imports.contains_key(module),
        None => false,
    };
    for (file, imports) in &imports {
        let glob = imports.iter().find(|import| of_another_file(file, import));
        assert!(glob.is_none(), "{}: name what you import by {glob:?}", file.join("::"));
    }
    let defining_file = |import: &Vec<String>| {
        let (mut file, name) = (file_of(import)?, import.last());
        if import.len() == file.len() {
            return Some(file);
        }
        // Each step goes from a file to a file below it, so the loop ends.
        while let Some(below) =
            imports[&file].iter().filter(|other| other.last() == name).find_map(|other| {
                file_of(other).filter(|below| below.len() > file.len() && below.starts_with(&file))
            })
        {
            file = below;
        }
        Some(file)
    };
    imports
        .iter()
        .map(|(file, imports)| {
            let others = imports.iter().filter_map(defining_file);
            let others = others.filter(|other| !file.starts_with(other));
            (file.clone(), others.filter(|other| !is_allowed(file, other)).collect())
        })
        .collect()
}

/// The imports that may be part of a circle. A `ValueFuture` contains a `Packed`, and `Packed` compares types with these two types to find
/// out whether a future is already packed.
const ALLOWED: [(&str, &str); 2] =
    [("future::packed", "future::value_future"), ("future::packed", "future::local_value_future")];

fn is_allowed(file: &[String], import: &[String]) -> bool {
    ALLOWED.contains(&(&*file.join("::"), &*import.join("::")))
}

/// Returns the files that a file imports, directly or through other files.
fn reached_from<'f>(files: &'f Files, file: &'f Vec<String>) -> BTreeSet<&'f Vec<String>> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![file]);
    while let Some(file) = next.pop() {
        next.extend(files.get(file).into_iter().flatten().filter(|other| reached.insert(*other)));
    }
    reached
}

#[test]
fn no_file_imports_itself_through_other_files() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let programs = fs::read_dir(package.join("examples")).expect("the folder can be read");
    let programs = programs.map(|entry| entry.expect("a readable entry").path());
    let roots = ["src", "macros/src", "benches"].map(|folder| package.join(folder));
    for root in roots.into_iter().chain(programs.filter(|path| path.is_dir())) {
        let files = imports_between_files(&root);
        for (file, imports) in &files {
            for import in imports {
                assert!(
                    !reached_from(&files, import).contains(file),
                    "in {}, {} imports {}, which imports it",
                    root.display(),
                    file.join("::"),
                    import.join("::")
                );
            }
        }
    }
}
