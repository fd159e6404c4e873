"""What ``aetherops workflow`` asks, as GraphQL."""

from __future__ import annotations

__all__ = ["CHANGES", "CHANGE_COMMANDS", "HISTORY", "LIST", "STATE", "VERIFICATION", "mutation"]

_STATE_FIELDS = """
  id version name owner form input status allowedMoves history paused isDone progressPct stage
  steps {
    name status result
    attempts { number status startedAt endedAt executor error retryAt }
  }
  approvals { name status role requestedAt until decidedAt decidedBy comment }
  timers { name dueAt }
  artifacts result error createdAt updatedAt knownSince irregular
"""

STATE = f"""
query State($id: ID!, $asOf: DateTime, $occurredBy: DateTime) {{
  workflow(id: $id, asOf: $asOf, occurredBy: $occurredBy) {{ {_STATE_FIELDS} }}
}}
"""

LIST = """
query List(
  $status: [WorkflowStatus!], $owner: String, $search: String!, $createdAfter: DateTime
  $createdBefore: DateTime, $quietSince: DateTime, $asOf: DateTime, $after: String!
) {
  workflows(
    status: $status, owner: $owner, search: $search, createdAfter: $createdAfter
    createdBefore: $createdBefore, quietSince: $quietSince, asOf: $asOf, first: 1000, after: $after
  ) {
    nodes {
      id name form status owner paused createdAt version progressPct runningSteps
      pendingApprovals error updatedAt
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

_EVENT_FIELDS = """
  id version kind occurredAt recordedAt position actor correlationId causationId payload
"""

HISTORY = f"""
query History($id: ID!, $first: Int!, $after: BigInt!) {{
  workflowHistory(id: $id, first: $first, after: $after) {{
    nodes {{ {_EVENT_FIELDS} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}
"""

CHANGES = f"""
query Changes($id: ID!, $from: DateTime!, $to: DateTime!) {{
  workflowChanges(id: $id, from: $from, to: $to) {{
    before {{ version status }}
    after {{ version status }}
    differences {{ path before after }}
    changes {{ event {{ {_EVENT_FIELDS} }} differences {{ path before after }} }}
  }}
}}
"""

VERIFICATION = """
query Verification($id: ID!) {
  workflowVerification(id: $id) {
    id version converges divergences { what version stored replayed } irregular
  }
}
"""

#: Mutations by the arguments that they take beside the id, with their types.
CHANGE_COMMANDS: dict[str, dict[str, str]] = {
    "createWorkflow": {
        "name": "String!",
        "owner": "String",
        "form": "String!",
        "input": "JSON",
    },
    "startWorkflow": {"name": "String!", "owner": "String", "input": "JSON"},
    "captureWorkflow": {"state": "JSON!", "source": "String!"},
    "moveWorkflow": {"target": "WorkflowStatus!", "reason": "String!"},
    "changeStage": {"target": "WorkflowStage!"},
    "completeWorkflow": {"result": "JSON"},
    "failWorkflow": {"error": "String!"},
    "cancelWorkflow": {"reason": "String!"},
    "pauseWorkflow": {"reason": "String!"},
    "resumeWorkflow": {"reason": "String!"},
    "assignWorkflow": {"owner": "String!"},
    "requestApproval": {"approval": "String!", "role": "String!", "until": "DateTime"},
    "grantApproval": {"approval": "String!", "comment": "String!"},
    "refuseApproval": {"approval": "String!", "comment": "String!"},
    "startStep": {"step": "String!", "executor": "String", "input": "JSON"},
    "completeStep": {"step": "String!", "attempt": "Int", "result": "JSON"},
    "failStep": {
        "step": "String!",
        "attempt": "Int",
        "error": "String!",
        "retryAt": "DateTime",
    },
    "attachArtifact": {"key": "String!", "value": "JSON"},
    "setTimer": {"timer": "String!", "dueAt": "DateTime!"},
    "fireTimer": {"timer": "String!"},
    "cancelTimer": {"timer": "String!"},
}


def mutation(name: str) -> str:
    """The document of one of `CHANGE_COMMANDS`; it answers with the state after it."""
    types = {
        "id": "ID" if name in {"createWorkflow", "startWorkflow"} else "ID!",
        **CHANGE_COMMANDS[name],
        "cause": "WorkflowCause",
    }
    variables = ", ".join(f"${one}: {type_name}" for one, type_name in types.items())
    arguments = ", ".join(f"{one}: ${one}" for one in types)
    return f"mutation ({variables}) {{ {name}({arguments}) {{ {_STATE_FIELDS} }} }}"
