//! What an explicit tag does to the node behind it.

use granit_parser::Tag;

const YAML_NAMESPACE: &str = "tag:yaml.org,2002:";

/// The effect of a tag.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum TagRule {
    /// Keep the text: `!!str`, `!str`.
    Text,
    /// Make a float of it: `!!float`.
    Float,
    /// Make a symbol of it: `!ruby/symbol`.
    Symbol,
    /// Type the text even if it is quoted: `!`, `!!int`, `!!bool`, `!!null` …
    Retype,
    /// Base 64: `!!binary`.
    Binary,
    /// Not YAML's: typed like [`Retype`](Self::Retype) and remembered.
    Custom(String),
    /// Asks for an object of this class, which is refused.
    Forbidden(String),
}

/// Reads a tag the way Psych's safe loader does. Names of YAML's own namespace
/// that Psych does not know are refused too: they come from other languages'
/// object dumps.
pub(crate) fn rule(tag: &Tag) -> TagRule {
    if let Some(name) = tag.suffix_in_namespace(YAML_NAMESPACE) {
        return match name.as_ref() {
            "str" => TagRule::Text,
            "float" => TagRule::Float,
            "int" | "bool" | "null" | "timestamp" | "merge" | "value" | "map" | "seq" => {
                TagRule::Retype
            }
            "binary" => TagRule::Binary,
            name => TagRule::Forbidden(object_class(name)),
        };
    }
    let original = tag.original();
    match original.strip_prefix('!').unwrap_or(&original) {
        "" => TagRule::Retype,
        "str" | "ruby/string" => TagRule::Text,
        "binary" => TagRule::Binary,
        "float" => TagRule::Float,
        "ruby/sym" | "ruby/symbol" => TagRule::Symbol,
        name if names_an_object(name) => TagRule::Forbidden(object_class(name)),
        _ => TagRule::Custom(original),
    }
}

fn names_an_object(name: &str) -> bool {
    matches!(name, "omap" | "set")
        || ["ruby/", "str:", "map:", "seq:"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// `ruby/object:Gem::Version` → `Gem::Version`, `ruby/regexp` → `Regexp`.
fn object_class(name: &str) -> String {
    match name {
        "omap" => return "Psych::Omap".to_owned(),
        "set" => return "Psych::Set".to_owned(),
        _ => {}
    }
    if let Some((_, class)) = name.split_once(':') {
        return class.to_owned();
    }
    match name.strip_prefix("ruby/") {
        Some(kind) => {
            let mut letters = kind.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(letters)
                .collect()
        }
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use granit_parser::Tag;
    use rstest::rstest;

    use super::{TagRule, rule};

    fn forbidden(class: &str) -> TagRule {
        TagRule::Forbidden(class.to_owned())
    }

    #[rstest]
    #[case("tag:yaml.org,2002:", "str", TagRule::Text)]
    #[case("tag:yaml.org,2002:", "int", TagRule::Retype)]
    #[case("tag:yaml.org,2002:", "float", TagRule::Float)]
    #[case(
        "tag:yaml.org,2002:",
        "python/object/apply:os.system",
        forbidden("os.system")
    )]
    #[case(
        "tag:yaml.org,2002:",
        "ruby/object:Gem::Version",
        forbidden("Gem::Version")
    )]
    #[case("tag:yaml.org,2002:", "set", forbidden("Psych::Set"))]
    #[case("tag:yaml.org,2002:", "binary", TagRule::Binary)]
    #[case("!", "ruby/object:Gem::Version", forbidden("Gem::Version"))]
    #[case("!", "ruby/object", forbidden("Object"))]
    #[case("!", "ruby/regexp", forbidden("Regexp"))]
    #[case("!", "ruby/symbol", TagRule::Symbol)]
    #[case("!", "map:Foo", forbidden("Foo"))]
    #[case("!", "reference", TagRule::Custom("!reference".to_owned()))]
    fn tags_have_the_effect_they_have_in_psych(
        #[case] handle: &str,
        #[case] suffix: &str,
        #[case] expected: TagRule,
    ) {
        assert_eq!(rule(&Tag::new(handle, suffix)), expected);
    }
}
