//! Keeps values of masked variables out of what is stored and shown of a run.

use tappet_store::NewRunContent;

use crate::logs;

/// The same content with secrets replaced in every text that the pipeline file
/// and its variables can shape.
pub fn hide(mut content: NewRunContent, secrets: &[String]) -> NewRunContent {
    if secrets.is_empty() {
        return content;
    }
    let hide = |text: &mut String| {
        if !text.is_empty() {
            *text = logs::mask(text, secrets);
        }
    };
    match &mut content {
        NewRunContent::Invalid { errors, .. } => hide(errors),
        NewRunContent::Planned(workflow) => {
            workflow.name.iter_mut().for_each(hide);
            workflow.notes.warnings.iter_mut().for_each(hide);
        }
    }
    content
}

#[cfg(test)]
mod tests {
    use tappet_model::FailureReason;

    use super::*;

    #[test]
    fn a_secret_in_an_error_is_replaced() {
        let content = NewRunContent::Invalid {
            errors: "job `hunter22` is unknown".into(),
            reason: FailureReason::ConfigError,
        };
        let hidden = hide(content, &["hunter22".into(), "short".into()]);
        let NewRunContent::Invalid { errors, .. } = hidden else {
            panic!("still invalid");
        };
        assert_eq!(errors, "job `[MASKED]` is unknown");
    }
}
