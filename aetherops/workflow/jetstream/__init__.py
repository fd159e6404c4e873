"""Events of workflows on JetStream, for whoever consumes them."""

from aetherops.workflow.jetstream.publisher import JetStreamPublisher, prepare_workflow_stream

__all__ = ["JetStreamPublisher", "prepare_workflow_stream"]
