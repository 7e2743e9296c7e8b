//! All variables of a job put together: one list per place that can set them,
//! and the order in which these places win.

use std::collections::HashSet;

use tappet_model::Variable;

use super::predefined;

/// Variables by the place that set them, the weakest first (GitLab:
/// `doc/ci/variables/_index.md`, "precedence"; `lib/gitlab/ci/variables/builder.rb`).
/// Inside a list later ones win. Tappet has no deployment variables, whose place
/// would be between the predefined ones and those of the file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JobVariableLayers {
    /// Set by the server, which alone may use reserved names.
    pub predefined: Vec<Variable>,
    /// Of the pipeline file: the root's with the job's and its rule's over them,
    /// as the compiler has merged them.
    pub yaml: Vec<Variable>,
    /// Of the dotenv reports of earlier jobs, in the order of these jobs.
    pub dotenv: Vec<Variable>,
    /// Of the instance's settings.
    pub instance: Vec<Variable>,
    /// Of the groups' settings, the outermost group first.
    pub groups: Vec<Variable>,
    /// Of the project's settings.
    pub project: Vec<Variable>,
    /// Given with the run: by a trigger, a schedule, a person or an API client.
    pub pipeline: Vec<Variable>,
    /// Given when the job was played by hand; the same level as those of the
    /// run, but later.
    pub play: Vec<Variable>,
    /// What the server says of the job's environment; GitLab puts it over
    /// everything else.
    pub environment: Vec<Variable>,
}

/// All variables of a job in rising precedence.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AssembledVariables {
    /// A name may come up again; the last one wins and may refer to those before.
    pub variables: Vec<Variable>,
    /// Names that were set outside the repository. Runners keep their values from
    /// service containers.
    pub private: HashSet<String>,
    /// Reserved names that somebody tried to set, each once.
    pub ignored: Vec<String>,
}

impl JobVariableLayers {
    /// Puts the layers over each other. Only the server itself sets reserved names.
    #[must_use]
    pub fn assemble(self) -> AssembledVariables {
        let Self {
            predefined,
            yaml,
            dotenv,
            instance,
            groups,
            project,
            pipeline,
            play,
            environment,
        } = self;
        let outside = [dotenv, instance, groups, project, pipeline, play];
        let private = outside
            .iter()
            .flatten()
            .map(|variable| variable.key.clone());
        let mut assembled = AssembledVariables {
            variables: predefined,
            private: private.collect(),
            ignored: Vec::new(),
        };
        for variable in std::iter::once(yaml).chain(outside).flatten() {
            if !predefined::is_reserved(&variable.key) {
                assembled.variables.push(variable);
            } else if !assembled.ignored.contains(&variable.key) {
                assembled.ignored.push(variable.key);
            }
        }
        assembled.variables.extend(environment);
        assembled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every layer, the weakest first.
    const LAYERS: [fn(&mut JobVariableLayers) -> &mut Vec<Variable>; 9] = [
        |layers| &mut layers.predefined,
        |layers| &mut layers.yaml,
        |layers| &mut layers.dotenv,
        |layers| &mut layers.instance,
        |layers| &mut layers.groups,
        |layers| &mut layers.project,
        |layers| &mut layers.pipeline,
        |layers| &mut layers.play,
        |layers| &mut layers.environment,
    ];

    /// Those that people fill: all but the server's own at both ends.
    const BY_PEOPLE: std::ops::Range<usize> = 1..8;

    fn winner(layers: JobVariableLayers, key: &str) -> Option<String> {
        let mut variables = layers.assemble().variables.into_iter().rev();
        let winner = variables.find(|variable| variable.key == key);
        winner.map(|variable| variable.value)
    }

    #[test]
    fn of_every_two_layers_the_stronger_one_wins() {
        for (at, weaker) in LAYERS.iter().enumerate() {
            for (above, stronger) in LAYERS.iter().enumerate().skip(at + 1) {
                let mut layers = JobVariableLayers::default();
                stronger(&mut layers).push(Variable::new("A", "stronger"));
                weaker(&mut layers).push(Variable::new("A", "weaker"));
                let winner = winner(layers, "A");
                assert_eq!(winner.as_deref(), Some("stronger"), "{at} {above}");
            }
        }
    }

    #[test]
    fn inside_every_layer_the_later_one_wins() {
        for (at, layer) in LAYERS.iter().enumerate() {
            let mut layers = JobVariableLayers::default();
            let list = layer(&mut layers);
            list.push(Variable::new("A", "earlier"));
            list.push(Variable::new("A", "later"));
            assert_eq!(winner(layers, "A").as_deref(), Some("later"), "{at}");
        }
    }

    #[test]
    fn a_reserved_name_is_the_servers_whoever_else_sets_it() {
        for at in BY_PEOPLE {
            let layer = LAYERS[at];
            let mut layers = JobVariableLayers::default();
            layers.predefined.push(Variable::new("CI_JOB_ID", "7"));
            layer(&mut layers).push(Variable::new("CI_JOB_ID", "8"));
            assert_eq!(layers.clone().assemble().ignored, ["CI_JOB_ID"], "{at}");
            assert_eq!(winner(layers, "CI_JOB_ID").as_deref(), Some("7"), "{at}");
        }
    }

    #[test]
    fn only_what_the_repository_sets_is_for_everybodys_eyes() {
        for (at, layer) in LAYERS.iter().enumerate() {
            let mut layers = JobVariableLayers::default();
            layer(&mut layers).push(Variable::new("A", "x"));
            let is_private = layers.assemble().private.contains("A");
            assert_eq!(is_private, at > 1 && BY_PEOPLE.contains(&at), "{at}");
        }
    }

    #[test]
    fn an_ignored_name_is_told_once() {
        let layers = JobVariableLayers {
            project: vec![Variable::new("CI_JOB_TOKEN", "x")],
            pipeline: vec![
                Variable::new("CI_JOB_TOKEN", "y"),
                Variable::new("CI_PROJECT_DIR", "/"),
            ],
            ..JobVariableLayers::default()
        };
        let ignored = layers.assemble().ignored;
        assert_eq!(ignored, ["CI_JOB_TOKEN", "CI_PROJECT_DIR"]);
    }
}
