//! `extends`: a root map takes over the keys of others (GitLab:
//! `config/extendable/entry.rb`).
//!
//! Parents are merged in order, later ones win, then the map itself; maps merge
//! deeply, everything else is replaced, also by null. A parent is resolved
//! first, as often as it is named.

use std::collections::HashMap;

use tappet_model::{Diagnostic, Position};
use tappet_yaml::{Mapping, Node};

/// How many ancestors an entry that itself extends may have.
const MAX_NESTING: usize = 10;

/// Keys, values and bytes of text that all merged maps may hold together.
const MAX_MERGED_SIZE: usize = 256 * 1024 * 1024;

/// The file with every `extends` merged in; the key itself stays.
pub(crate) fn resolve(root: Mapping) -> Result<Mapping, Vec<Diagnostic>> {
    let mut resolver = Resolver {
        root: &root,
        done: HashMap::new(),
        size: 0,
    };
    let mut errors = Vec::new();
    for key in root.keys() {
        if let Err(error) = resolver.resolve(&key.text, &mut Vec::new())
            && !errors.contains(&error)
        {
            errors.push(error);
        }
    }
    if !errors.is_empty() {
        errors.sort_by_key(|error| error.position);
        return Err(errors);
    }
    let mut done: HashMap<String, Mapping> = resolver
        .done
        .into_iter()
        .map(|(name, merged)| (name.to_owned(), merged.mapping))
        .collect();
    Ok(root
        .into_iter()
        .map(|(key, node)| match done.remove(&key.text) {
            Some(mapping) => {
                let position = node.position;
                (key, Node::mapping(mapping, position))
            }
            None => (key, node),
        })
        .collect())
}

struct Resolver<'a> {
    root: &'a Mapping,
    done: HashMap<&'a str, Merged>,
    size: usize,
}

struct Merged {
    mapping: Mapping,
    /// How many entries of the longest way up extend something, itself counted.
    height: usize,
}

impl<'a> Resolver<'a> {
    /// Merges one entry and returns its height; 0 when it extends nothing.
    fn resolve(&mut self, name: &str, ancestors: &mut Vec<String>) -> Result<usize, Diagnostic> {
        if let Some(merged) = self.done.get(name)
            && ancestors.len() + merged.height <= MAX_NESTING + 1
        {
            return Ok(merged.height);
        }
        let root = self.root;
        let Some((key, mapping)) = root
            .key(name)
            .zip(root.get(name).and_then(Node::as_mapping))
        else {
            return Ok(0);
        };
        let Some((extends, position)) = mapping
            .get("extends")
            .zip(mapping.key("extends").map(|key| key.position))
        else {
            return Ok(0);
        };
        let parents = parents(extends);
        self.check(name, &parents, ancestors, position)?;
        ancestors.push(name.to_owned());
        let mut height = 0;
        for parent in &parents {
            height = height.max(self.resolve(parent, ancestors)?);
        }
        ancestors.pop();
        let mut merged = Mapping::new();
        for parent in &parents {
            if let Some(parent) = self.value(parent) {
                merge(&mut merged, parent);
            }
        }
        merge(&mut merged, mapping);
        self.count(&merged, position)?;
        let height = height + 1;
        self.done.insert(
            &key.text,
            Merged {
                mapping: merged,
                height,
            },
        );
        Ok(height)
    }

    fn check(
        &self,
        name: &str,
        parents: &[String],
        ancestors: &[String],
        position: Position,
    ) -> Result<(), Diagnostic> {
        let fail = |text: String| {
            let message = format!("{name}: {text}");
            Err(Diagnostic::at(position, message))
        };
        let parents_that = |matches: &dyn Fn(&str) -> bool| -> Vec<&str> {
            let names = parents.iter().map(String::as_str);
            names.filter(|parent| matches(parent)).collect()
        };
        let unknown = parents_that(&|parent| !self.root.contains_key(parent));
        if !unknown.is_empty() {
            return fail(format!(
                "unknown keys in `extends` ({})",
                unknown.join(", ")
            ));
        }
        let is_map = |parent: &str| self.root.get(parent).and_then(Node::as_mapping).is_some();
        let invalid = parents_that(&|parent| !is_map(parent));
        if !invalid.is_empty() {
            let names = invalid.join(", ");
            return fail(format!("invalid base hashes in `extends` ({names})"));
        }
        if ancestors.len() > MAX_NESTING {
            return fail("nesting too deep in `extends`".to_owned());
        }
        if ancestors.iter().any(|ancestor| ancestor == name) {
            return fail("circular dependency detected in `extends`".to_owned());
        }
        Ok(())
    }

    fn value(&self, name: &str) -> Option<&Mapping> {
        match self.done.get(name) {
            Some(merged) => Some(&merged.mapping),
            None => self.root.get(name).and_then(Node::as_mapping),
        }
    }

    fn count(&mut self, mapping: &Mapping, position: Position) -> Result<(), Diagnostic> {
        self.size = self.size.saturating_add(size(mapping));
        if self.size > MAX_MERGED_SIZE {
            return Err(Diagnostic::at(position, "The parsed YAML is too big"));
        }
        Ok(())
    }
}

fn parents(extends: &Node) -> Vec<String> {
    let name = |node: &Node| {
        node.to_text()
            .unwrap_or_else(|| node.kind_name().to_owned())
    };
    match extends.as_sequence() {
        Some(nodes) => nodes.iter().map(name).collect(),
        None if extends.is_null() => Vec::new(),
        None => vec![name(extends)],
    }
}

/// Rails' `deep_merge`: maps merge, everything else is replaced.
fn merge(base: &mut Mapping, over: &Mapping) {
    for (key, node) in over.iter() {
        if let Some(over) = node.as_mapping()
            && let Some(base) = base.get_mut(&key.text).and_then(Node::as_mapping_mut)
        {
            merge(base, over);
            continue;
        }
        base.insert(key.clone(), node.clone());
    }
}

fn size(mapping: &Mapping) -> usize {
    mapping
        .iter()
        .map(|(key, node)| key.text.len() + node_size(node))
        .sum()
}

fn node_size(node: &Node) -> usize {
    let content = match (node.as_mapping(), node.as_sequence()) {
        (Some(mapping), _) => size(mapping),
        (_, Some(items)) => items.iter().map(node_size).sum(),
        _ => node.as_str().map_or(0, str::len),
    };
    size_of::<Node>() + content
}
