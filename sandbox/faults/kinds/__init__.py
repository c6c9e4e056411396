"""Every kind of fault there is, by name."""

from collections.abc import Mapping

from sandbox.faults.kinds import http, mail, pubsub, salesforce, whmcs
from sandbox.faults.kinds.base import Fault

_ALL: tuple[type[Fault], ...] = (
    http.Latency,
    http.Hold,
    http.Refuse,
    http.PortClosed,
    http.Drop,
    http.Html,
    http.HttpError,
    http.Drip,
    http.Truncate,
    http.Empty,
    http.Huge,
    http.PhpNotice,
    http.Redirect,
    http.ContentType,
    salesforce.SessionExpired,
    salesforce.TokenError,
    salesforce.RequestLimitExceeded,
    salesforce.ServerUnavailable,
    salesforce.RowLock,
    salesforce.SalesforceError,
    salesforce.DuplicateValue,
    salesforce.SubRequestFails,
    whmcs.ModuleFailure,
    whmcs.ActionError,
    whmcs.FieldIgnored,
    whmcs.IpRefused,
    pubsub.Refused,
    pubsub.ReplayRefused,
    pubsub.StreamCut,
    pubsub.StreamSilent,
    pubsub.ConnectionsFrozen,
    pubsub.EventDuplicated,
    pubsub.EventRepeated,
    pubsub.EventsReordered,
    pubsub.Poison,
    pubsub.NewSchema,
    pubsub.Renumbered,
    mail.SmtpReply,
)
KINDS: Mapping[str, type[Fault]] = {each.kind: each for each in _ALL}
