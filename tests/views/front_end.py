"""A front end made of Python: it sets traits as a browser would, and keeps what the kernel sends."""

import gc
import itertools
import json
import tracemalloc


class FrontEnd:
    """The other end of a widget's comm."""

    def __init__(self, widget):
        self.widget = widget
        self.sent = []
        widget.comm.publish_msg = self._publish

    def _publish(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        self.sent.append((msg_type, data, buffers or []))

    def set(self, **state):
        """Change traits, as JavaScript does by ``model.set`` and ``save_changes``."""
        self.widget._handle_msg(
            {"content": {"data": {"method": "update", "state": state, "buffer_paths": []}}, "buffers": []}
        )

    def received(self, name):
        """The last value of a trait that came, or None."""
        values = [data["state"][name] for _, data, _ in self.sent if name in data.get("state", {})]
        return values[-1] if values else None

    def payload(self):
        """Bytes that the last message with a state took."""
        [*_, (_, data, buffers)] = [message for message in self.sent if message[1].get("method") == "update"]
        return len(json.dumps(data, ensure_ascii=False).encode()) + sum(map(len, buffers))


def growth(front, settings, warm, count):
    """Bytes that ``count`` interactions add after ``warm`` of them; ``settings`` answers a number with traits.

    The least of three rounds: what interactions leak grows in each, what a library's thread or cache allocates once
    does not.
    """

    def held(interactions):
        for number in range(interactions):
            front.set(**settings(number))
            front.sent.clear()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        held(warm)
        levels = [held(count) for _ in range(4)]
        return min(after - before for before, after in itertools.pairwise(levels))
    finally:
        tracemalloc.stop()
