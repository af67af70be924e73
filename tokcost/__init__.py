"""tokcost: what AI inference really costs, from a GPU-hour to a million tokens.

`import tokcost as tc` gives what notebooks use every day; the rest stands under topics: `tc.hour.`, `tc.serving.`,
`tc.load.`, `tc.decide.`, `tc.claims.`, `tc.analysis.`, `tc.evidence.`, `tc.importers.`, `tc.show.`. The names are listed in
`__init__.pyi`; each module loads when a name of it is first used.
"""

from tokcost.namespace import attach

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = attach(__name__, __file__)
