"""The part of the fold that follows approvals from the question to the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from aetherops.workflow.events import kinds
from aetherops.workflow.state import Approval

__all__ = ["ApprovalsFold"]


class ApprovalsFold:
    """Approvals by name. Each method returns whether the rules allow the event."""

    def __init__(self, approvals: Mapping[str, Approval]) -> None:
        self._approvals = dict(approvals)

    def by_name(self) -> dict[str, Approval]:
        """Every approval as it is now."""
        return dict(self._approvals)

    def requested(self, event: kinds.ApprovalRequested) -> bool:
        """Asked; again only once there was an answer."""
        before = self._approvals.get(event.approval)
        self._approvals[event.approval] = Approval(
            event.approval, "requested", event.role, event.occurred_at, event.until
        )
        return before is None or before.status != "requested"

    def granted(self, event: kinds.ApprovalGranted) -> bool:
        """The actor said yes."""
        return self._decide(event, "granted")

    def refused(self, event: kinds.ApprovalRefused) -> bool:
        """The actor said no."""
        return self._decide(event, "refused")

    def _decide(self, event: kinds.ApprovalGranted | kinds.ApprovalRefused, status: str) -> bool:
        before = self._approvals.get(event.approval)
        self._approvals[event.approval] = replace(
            before or Approval(event.approval, status),
            status=status,
            decided_at=event.occurred_at,
            decided_by=event.actor,
            comment=event.comment,
        )
        return before is not None and before.status == "requested"
