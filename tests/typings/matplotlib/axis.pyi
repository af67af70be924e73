# Anything: what pandas and matplotlib say of their values is a union of all that they could be, and would drown what is wrong here.
from typing import Any

def __getattr__(name: str) -> Any: ...
