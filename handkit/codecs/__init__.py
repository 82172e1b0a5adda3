"""Encode and decode: joints to training targets, network outputs to joints.

Import a codec from its own module; `handkit.registry.CODECS` lists them, so that one that needs torch is only imported
when it is used.
"""
