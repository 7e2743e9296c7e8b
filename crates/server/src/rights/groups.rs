//! What somebody may do with a group. Groups have no members of their own: a group
//! is a path under which projects live, and belongs to those who own all of them.

use tappet_store::{GroupProjects, User};

use super::Role;

/// What somebody is in front of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GroupStanding {
    /// They cannot tell that it exists.
    Nothing,
    /// They see a project of it.
    Sees,
    /// Its settings are theirs to change.
    Manages,
}

/// What a signed-in user is in front of a group with these projects.
pub fn group_standing(user: &User, projects: &[GroupProjects]) -> GroupStanding {
    if projects.is_empty() {
        return GroupStanding::Nothing;
    }
    let owns = |one: &GroupProjects| one.level >= Some(Role::Owner.level());
    let sees = |one: &GroupProjects| match one.visibility.as_str() {
        "public" => true,
        "internal" if !user.is_external => true,
        _ => one.level.is_some(),
    };
    if user.is_admin || projects.iter().all(owns) {
        GroupStanding::Manages
    } else if projects.iter().any(sees) {
        GroupStanding::Sees
    } else {
        GroupStanding::Nothing
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::{Timestamp, UserId};

    use super::GroupStanding::*;
    use super::*;

    #[rstest]
    #[case::no_such_group(&[], true, Nothing)]
    #[case::admin(&[("private", None)], true, Manages)]
    #[case::owner_of_all(&[("private", Some(50)), ("public", Some(50))], false, Manages)]
    #[case::owner_of_some(&[("private", Some(50)), ("public", Some(40))], false, Sees)]
    #[case::owner_but_not_of_a_hidden_one(&[("private", Some(50)), ("private", None)], false, Sees)]
    #[case::guest(&[("private", Some(10)), ("private", None)], false, Sees)]
    #[case::stranger_to_private_projects(&[("private", None)], false, Nothing)]
    #[case::anybody_sees_internal_ones(&[("internal", None), ("private", None)], false, Sees)]
    fn who_manages_a_group(
        #[case] projects: &[(&str, Option<u32>)],
        #[case] is_admin: bool,
        #[case] expected: GroupStanding,
    ) {
        let user = User {
            id: UserId(7),
            username: "ann".into(),
            name: "Ann".into(),
            email: String::new(),
            is_admin,
            is_external: false,
            is_blocked: false,
            created_at: Timestamp(0),
        };
        let projects: Vec<GroupProjects> = projects
            .iter()
            .map(|(visibility, level)| GroupProjects {
                visibility: (*visibility).to_owned(),
                level: *level,
            })
            .collect();
        assert_eq!(group_standing(&user, &projects), expected);
    }
}
