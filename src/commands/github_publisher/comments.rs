//! The comment on a pull request.

use std::collections::BTreeSet;

use super::GithubPublisher;
use crate::feedback::{GithubError, GithubKind};
use crate::github::{Comment, GithubResult};
use crate::report::comment::is_in_progress;
use crate::report::mark::{Kin, compare_marks};

/// Most attempts to find a comment.
const LOOKS: u32 = 4;

/// The author of posts with a job's own token, which is the default.
const JOB: &str = "github-actions[bot]";

impl GithubPublisher {
    /// The comments of the same place; if there is none, the oldest adoptable comment.
    async fn comments_of(&self, pull: u64, text: &str) -> GithubResult<Vec<Comment>> {
        let own = |body: &str| compare_marks(text, body) != Kin::Other;
        let found = self.github.marked_comments(pull, self.author.as_ref(), own).await?;
        let (same, mut adoptable): (Vec<Comment>, Vec<Comment>) =
            found.into_iter().partition(|comment| compare_marks(text, &comment.body) == Kin::Same);
        adoptable.truncate(1);
        Ok(if same.is_empty() { adoptable } else { same })
    }

    /// Finds the comment, creates a missing one, removes later duplicates, and updates a changed text. If GitHub did not
    /// name the token's author, the new comment does: an older comment of the same author then takes the text, and the
    /// new one goes. A marked comment of another author is ignored, also one that the token may not change.
    pub(super) async fn comment(&mut self, pull: u64, text: &str) -> GithubResult<()> {
        let mut last = GithubError { kind: GithubKind::Odd, status: None, effect_unknown: false };
        let (mut made, mut foreign) = (false, BTreeSet::new());
        for _ in 0..LOOKS {
            let mut marked = self.comments_of(pull, text).await?;
            marked.retain(|comment| !foreign.contains(&comment_author(comment)));
            marked.sort_by_key(|comment| (comment_author(comment) != JOB, comment.id));
            let Some((first, later)) = marked.split_first() else {
                if made {
                    // GitHub's list is outdated.
                    return Ok(());
                }
                match self.github.create_comment(pull, text).await {
                    // Another run may have created a comment meanwhile, and an unknown answer has to be checked: look
                    // again.
                    Ok(new) => {
                        (made, self.author) = (true, new.author());
                        self.url = Some(new.html_url);
                    }
                    Err(trouble) if trouble.effect_unknown => last = trouble,
                    Err(trouble) => return Err(trouble),
                }
                continue;
            };
            let same = first.body.trim_end() == text.trim_end();
            if self.late && !same && !is_in_progress(&first.body, &self.run) {
                (self.overtaken, self.url) = (true, Some(first.html_url.clone()));
                return self
                    .remove(later.iter().filter(|later| later.body.trim_end() == text.trim_end()))
                    .await;
            }
            let answer =
                if same { Ok(()) } else { self.github.update_comment(first.id, text).await.map(|_| ()) };
            match answer {
                Ok(()) => {
                    self.url = Some(first.html_url.clone());
                    return self
                        .remove(later.iter().filter(|later| comment_author(later) == comment_author(first)))
                        .await;
                }
                Err(trouble) if trouble.kind == GithubKind::Forbidden => {
                    foreign.insert(comment_author(first));
                    last = trouble;
                }
                // Deleted meanwhile, or an unknown answer: look again.
                Err(trouble) if trouble.effect_unknown || trouble.kind == GithubKind::NotFound => {
                    last = trouble;
                }
                Err(trouble) => return Err(trouble),
            }
        }
        Err(last)
    }

    /// Removes later comments of the same author, created by two runs at the same moment.
    async fn remove(&self, later: impl Iterator<Item = &Comment>) -> GithubResult<()> {
        for comment in later {
            self.github.delete_comment(comment.id).await?;
        }
        Ok(())
    }
}

/// The account that wrote a comment.
fn comment_author(comment: &Comment) -> String {
    comment.user.as_ref().map(|user| user.login.clone()).unwrap_or_default()
}
