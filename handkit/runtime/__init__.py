"""Executors of networks behind one call: `handkit.runtime.base` says what each offers.

Import a runtime from its own module; `handkit.registry.RUNTIMES` lists them, so that torch is imported only when
`handkit.runtime.torch` is used, and another runtime works where torch is absent.
"""
