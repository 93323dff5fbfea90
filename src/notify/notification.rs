//! Something to tell somebody: an alert, what of it is news, and what there is to show.

use crate::config::Metric;
use crate::detect::Evaluation;
use crate::incident::Alert;

use super::due::AlertKind;

#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    /// `None`: bandwatch itself.
    pub metric: Option<&'a Metric>,
    pub alert: &'a Alert,
    pub kind: AlertKind,
    /// The metric's newest evaluation of this run, with its workings: what pictures show.
    pub newest: Option<&'a Evaluation>,
}
