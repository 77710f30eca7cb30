"""Imports every module of the generated package `widgets`, and names those that cannot be."""

import importlib
import pkgutil
import sys

package = importlib.import_module("widgets")
# One broken module breaks all that import it: each fault is named once.
faults = {}
for module in pkgutil.walk_packages(package.__path__, "widgets.", onerror=lambda name: None):
    try:
        importlib.import_module(module.name)
    except Exception as error:
        faults.setdefault(repr(error), module.name)
if faults:
    sys.exit("\n".join(f"{name}: {fault}" for fault, name in faults.items()))
