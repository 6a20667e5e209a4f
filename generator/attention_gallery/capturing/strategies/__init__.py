"""The ways in which attention can be got out of a model, best first."""

from attention_gallery.capturing.strategies.base import Receiver, Strategy, ValueReceiver
from attention_gallery.capturing.strategies.hooks import HooksStrategy
from attention_gallery.capturing.strategies.interface import AT_ONCE, InterfaceStrategy, NoEagerAttentionError
from attention_gallery.capturing.strategies.outputs import OutputsStrategy

# Tried from left to right: the first holds a few heads, the next two about one layer, the last all of them.
STRATEGIES: tuple[Strategy, ...] = (
    InterfaceStrategy(AT_ONCE),
    InterfaceStrategy(),
    HooksStrategy(),
    OutputsStrategy(),
)

__all__ = [
    "STRATEGIES",
    "HooksStrategy",
    "InterfaceStrategy",
    "NoEagerAttentionError",
    "OutputsStrategy",
    "Receiver",
    "Strategy",
    "ValueReceiver",
]
